/** How the C library packs a device number. @see https://man7.org/linux/man-pages/man3/makedev.3.html */
export const deviceMajor = (device: number) => (device >>> 8) & 0xfff;
export const deviceMinor = (device: number) => (device & 0xff) | ((device >>> 12) & 0xfff00);
