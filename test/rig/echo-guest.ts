import { writeFileSync } from "node:fs";

/**
 * A guest of one disk sector, which starts at once even without KVM: it writes "R" to the first serial port, sends
 * back what it reads there, and powers the machine down at the power button (ACPI registers at 0x600, where SeaBIOS
 * puts them).
 */
const program = [
  0xfa, // cli
  0xba,
  0xf8,
  0x03,
  0xb0,
  0x52,
  0xee, // write "R" to 0x3f8
  0xba,
  0x02,
  0x06,
  0xb8,
  0x00,
  0x01,
  0xef, // enable the power button's event
  0xba,
  0x00,
  0x06,
  0xed,
  0xf6,
  0xc4,
  0x01,
  0x75,
  0x10, // loop: pressed? then to off
  0xba,
  0xfd,
  0x03,
  0xec,
  0xa8,
  0x01,
  0x74,
  0xef, // nothing came in? then to loop
  0xba,
  0xf8,
  0x03,
  0xec,
  0xee,
  0xeb,
  0xe8,
  0x90, // send it back, to loop
  0xba,
  0x04,
  0x06,
  0xb8,
  0x00,
  0x20,
  0xef, // off: sleep state S5
  0xf4,
  0xeb,
  0xfd, // hlt, for ever
];

/** Writes the guest's disk, and gives the part of a profile that boots it. */
export function echoGuest(path: string): object {
  // The firmware boots from no disk of less than a cylinder.
  const image = Buffer.alloc(1024 * 1024);
  Buffer.from(program).copy(image);
  image.set([0x55, 0xaa], 510);
  writeFileSync(path, image);
  return {
    disks: [{ id: "echo", file: path, format: "raw", boot: 1 }],
    consoles: [{ type: "serial" }, { type: "virtio" }],
  };
}
