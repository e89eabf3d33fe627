import type { Profile } from "../../src/profile/index.ts";

/** What libvirt 9.0 refuses of a domain that the export writes. */
export interface Refusal {
  readonly why: string;
  /** A small profile's part that has it. */
  readonly part: object;
  /** libvirt's words. */
  readonly says: RegExp;
  /** The warning of the export that tells the user. */
  readonly warned: RegExp;
  isMet(profile: Profile): boolean;
  without(profile: Profile): Profile;
}

const schema = /failed to validate against schema/;
const viommu = { type: "intel", addressBits: 39, cachingMode: false, interruptRemapping: true } as const;

export const refusals: readonly Refusal[] = [
  {
    why: "an NVMe disk is an element of libvirt 11.5",
    part: { disks: [{ id: "a", file: "/images/a.raw", format: "raw", device: "nvme" }] },
    says: schema,
    warned: /^disks\[\d+\]\.device: an NVMe disk, which libvirt has since 11\.5/,
    isMet: ({ disks }) => disks.some(({ device }) => device === "nvme"),
    without: (profile) => ({ ...profile, disks: profile.disks.filter(({ device }) => device !== "nvme") }),
  },
  {
    why: "the folder of a TPM's state is an element of libvirt 10.10",
    part: { tpm: { state: "/images/tpm" } },
    says: schema,
    warned: /^tpm\.state: .* since 10\.10/,
    isMet: ({ tpm }) => tpm?.state !== undefined,
    without: (profile) => ({ ...profile, tpm: profile.tpm && { ...profile.tpm, state: undefined } }),
  },
  {
    why: "q35's own watchdog is an element of libvirt 9.1",
    part: { watchdog: { model: "itco", action: "reset" } },
    says: schema,
    warned: /^watchdog\.model: .* since 9\.1/,
    isMet: ({ watchdog }) => watchdog?.model === "itco",
    without: (profile) => ({ ...profile, watchdog: undefined }),
  },
  {
    why: "libvirt of an ordinary user, as it judges here, starts virtiofsd since 10.0",
    part: { filesystems: [{ id: "home", path: "/home" }] },
    says: /virtiofs is not yet supported in session mode/,
    warned:
      /^filesystems\[\d+\]\.type: virtiofs of an ordinary user's libvirt, which libvirt has since 10\.0/,
    isMet: ({ filesystems }) => filesystems.some(({ type }) => type === "virtiofs"),
    without: (profile) => ({
      ...profile,
      filesystems: profile.filesystems.filter(({ type }) => type !== "virtiofs"),
    }),
  },
  {
    why: "more than 255 vCPUs take an IOMMU with extended interrupts in libvirt; KVM alone does without",
    part: { machine: { accel: "kvm" }, cpus: { boot: 2, max: 256, topology: { sockets: 2, cores: 128 } } },
    says: /more than 255 vCPUs require extended interrupt mode/,
    warned: /^cpus\.(boot|max): \d+ vCPUs without an IOMMU that remaps interrupts/,
    isMet: ({ cpus, machine }) =>
      (cpus.max ?? cpus.boot) > 255 && machine.viommu?.interruptRemapping !== true,
    without: (profile) => ({ ...profile, machine: { ...profile.machine, viommu } }),
  },
];

/** Those that a profile meets. */
export function refusalsOf(profile: Profile): readonly Refusal[] {
  return refusals.filter(({ isMet }) => isMet(profile));
}
