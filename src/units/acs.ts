/** The registers of Access Control Services that a port or function has. */
export interface AcsRegisters {
  /** Bits that it can have. */
  readonly capability: number;
  /** Bits that are set. */
  readonly control: number;
}

/**
 * Bits of both registers, by the names that lspci has for them.
 * @see https://github.com/torvalds/linux/blob/master/include/uapi/linux/pci_regs.h (PCI_ACS_CAP)
 */
export const acsBits = {
  SrcValid: 0x01,
  TransBlk: 0x02,
  ReqRedir: 0x04,
  CmpltRedir: 0x08,
  UpstreamFwd: 0x10,
  EgressCtrl: 0x20,
  DirectTrans: 0x40,
} as const;

const names = Object.keys(acsBits) as (keyof typeof acsBits)[];
const allBits = 0x7f;

/**
 * What lets devices with ATS reach each other below a switch, and nothing past the IOMMU: SrcValid, ReqRedir,
 * CmpltRedir, UpstreamFwd and DirectTrans on, TransBlk and EgressCtrl off.
 * @see https://docs.nvidia.com/ai-enterprise/planning-resource/optimizing-vm-configuration-ai-inference/latest/
 */
const directBits = 0x5d;

/** The control register with these bits, as far as the port can have them; others stay as they are. */
export function directAcs({ capability, control }: AcsRegisters): number {
  return (control & ~allBits) | (directBits & capability & allBits);
}

/** "SrcValid+ TransBlk- ReqRedir+", of the bits that the port can have. */
export function describeAcs({ capability, control }: AcsRegisters): string {
  return names
    .filter((name) => (capability & acsBits[name]) !== 0)
    .map((name) => `${name}${(control & acsBits[name]) === 0 ? "-" : "+"}`)
    .join(" ");
}

/** "DirectTrans+ TransBlk-": what becomes different; empty for nothing. */
export function describeAcsChange(before: number, after: number): string {
  return describeAcs({ capability: before ^ after, control: after });
}
