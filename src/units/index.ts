export { type AcsRegisters, acsBits, describeAcs, describeAcsChange, directAcs } from "./acs.ts";
export { describeByteSize, formatByteSize, parseByteSize } from "./byte-size.ts";
export {
  formatIdSet,
  type IdSet,
  idDifference,
  idIntersection,
  idRanges,
  idUnion,
  parseIdSet,
} from "./id-set.ts";
export { macAddressFor, parseMacAddress } from "./mac-address.ts";
export {
  comparePciAddresses,
  formatPciAddress,
  normalPciAddress,
  type PciAddress,
  parsePciAddress,
} from "./pci-address.ts";
export { closest, editDistance } from "./suggest.ts";
export { sumOf } from "./sum.ts";
