/** Names that people use for PCI classes; a prefix of the six hexadecimal digits works too. */
export const pciClasses = {
  "3d": "0302",
  vga: "0300",
  display: "03",
  network: "02",
  ethernet: "0200",
  infiniband: "0207",
  nvme: "0108",
  storage: "01",
  audio: "0403",
  usb: "0c03",
  accelerator: "12",
  bridge: "0680",
} as const;
