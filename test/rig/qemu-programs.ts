/** The QEMU programs that the end-to-end tests run with: $QLAUNCH_TEST_QEMU, colon-separated. */
export const qemuPrograms = (process.env.QLAUNCH_TEST_QEMU || "qemu-system-x86_64")
  .split(":")
  .filter(Boolean);
