/**
 * An id that QEMU accepts: a letter, then letters, digits, "-", "." and "_". 24 characters at most, so that the
 * names derived from it stay within the 31 that block nodes may have.
 * @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html (node-name)
 */
export const identifierPattern = /^[A-Za-z][A-Za-z0-9._-]{0,23}$/;

export const identifierWords = {
  needed: 'a letter, then up to 23 letters, digits, "-", "." or "_"',
  fix: "choose another id of these characters",
};
