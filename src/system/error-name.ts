/** The kernel's name for an error's number, such as ENOENT for 2. */
export async function errorName(error: number): Promise<string> {
  // Loaded when something failed: it takes longer than what it is needed for.
  const { getSystemErrorName } = await import("node:util");
  return getSystemErrorName(-error);
}
