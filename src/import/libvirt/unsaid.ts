/** A part of a profile that libvirt has no element for. */
export interface Unsaid {
  /** Keys from the root, with "*" for any; items of a list by their id, or their number where they have none. */
  readonly path: string;
  /** What a guest that libvirt starts has instead; undefined where it is the same guest. */
  readonly instead?: string;
  /** The one value that has no element; others have. Absent: all of them. */
  readonly only?: null | string;
}

/**
 * What a domain has in its metadata beside libvirt's own elements. Nothing that libvirt has a word for may be here: its
 * own element would say one thing and the profile another.
 */
export const unsaid: readonly Unsaid[] = [
  {
    path: "cpus/features/*",
    instead: "the processor model's own value: libvirt knows features that are on or off",
  },
  { path: "cpus/hotpluggable" },
  { path: "memory/backend", instead: "the kind of memory backend that libvirt takes for its pages" },
  { path: "memory/path", instead: "memory in the folder that libvirt's own settings name" },
  { path: "memory/prealloc", instead: "huge pages that are taken at the start" },
  { path: "numa/cells/*/hostNodes", only: null },
  { path: "numa/cells/*/policy", only: null },
  { path: "numa/cells/*/distances", only: null },
  { path: "pinning/vcpus", only: "none" },
  { path: "pinning/overcommit" },
  { path: "pcie/mmio64" },
  { path: "standIns", instead: "no such devices" },
  { path: "networks/*/user/forward", instead: "no forwarded ports: libvirt forwards with passt alone" },
  { path: "networks/*/user/restrict", instead: "a way to the network outside" },
  { path: "networks/*/bridgeHelper", instead: "the helper of QEMU, or none under a libvirtd of root" },
  { path: "filesystems/*/securityModel", instead: "file owners in extended attributes" },
  { path: "guestAgent/online", instead: "new vCPUs and memory that the guest brings online itself, or not" },
  { path: "sandbox/seccomp", instead: "the seccomp sandbox of qemu.conf" },
  { path: "sandbox/user", instead: "the user of qemu.conf" },
  { path: "sandbox/groups", instead: "no further groups" },
  { path: "sandbox/openFiles", instead: "the limit of qemu.conf" },
  // Devices on pcie.0 itself: import gives them ports otherwise.
  ...[
    "disks/*",
    "networks/*",
    "passthrough/devices/*",
    "filesystems/*",
    "rng",
    "balloon",
    "usb",
    "vsock",
  ].map((of) => ({
    path: `${of}/bus`,
    only: "pcie.0",
  })),
];

const patterns = unsaid.map((entry) => ({ entry, steps: entry.path.split("/") }));

/**
 * What is said of a part, by the steps of its path: undefined where libvirt has a word for it.
 * @param value null for a key that is not there, though import would fill it
 */
export function unsaidOf(steps: readonly string[], value: unknown): Unsaid | undefined {
  const known = patterns.find(
    ({ entry: { only }, steps: own }) =>
      own.length === steps.length &&
      own.every((step, index) => step === "*" || step === steps[index]) &&
      (only === undefined || only === value),
  )?.entry;
  if (known) return known;
  const isText = typeof value === "string" && !isPlainText(value);
  return isText ? { path: steps.join("/"), instead: "the text as far as XML can have it" } : undefined;
}

/** Text that XML, or libvirt's own reading of it, would not give back as it was: control characters, blanks around it. */
export function isPlainText(text: string): boolean {
  return text === text.trim() && text !== "" && !unwritable.test(text);
}

/** What no XML document may have. @see https://www.w3.org/TR/xml/#charsets */
export const unwritable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
