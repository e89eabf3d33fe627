/** Types with one mistake each, to prove that the comparison with QEMU's schema finds them. */

export interface WrongSent {
  object_del_misspelt: { idd: string };
  object_del_optional: { id?: string };
  object_del_type: { id: number };
  qom_list_types_required: { implements: string };
  watchdog_value: { action: "reset" | "explode" };
  watchdog_loose: { action: string };
  block_resize_type: { size: boolean };
  netdev_no_tag: { id: string } | { type: "user"; id: string };
  netdev_member: { type: "user"; id: string; hostfwd: string[] };
  object_add_case: { "qom-type": "rng-imaginary"; id: string };
  qom_set_any: { path: string; property: string; value: unknown };
}

export interface WrongReceived {
  status_member: { running: boolean; state: string };
  status_value: { running: boolean; status: "running" | "paused" };
  status_extra: { status: string; running?: boolean };
  memdev_element: { "host-nodes": string[] }[];
  memdev_scalar: { "host-nodes": number }[];
  memdev_optional: { id: string }[];
  pci_nested: { devices: { pci_bridge?: { bus: { number: string } } }[] }[];
  memory_device_case: ({ type: "dimm" } | { type: "floppy" })[];
}
