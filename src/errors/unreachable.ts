/** Ends a switch over a union: the compiler lists the cases that were forgotten. */
export function unreachable(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}
