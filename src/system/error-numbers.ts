/** Linux's, on x86 as on ARM: those that are told from others. @see https://man7.org/linux/man-pages/man3/errno.3.html */
export const errorNumbers = { ENOENT: 2, EINTR: 4, EAGAIN: 11, EINVAL: 22, ENAMETOOLONG: 36 } as const;
