/** What the items have together. A loop: the runtime makes `reduce` of text at its first use, which takes longer. */
export function sumOf<T>(items: readonly T[], numberOf: (item: T) => number): number {
  let sum = 0;
  for (const item of items) sum += numberOf(item);
  return sum;
}
