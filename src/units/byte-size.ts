const suffixes = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

/**
 * Reads a size in bytes: an integer, or text such as "512M", "32G", "1.5T" (binary multiples; "32GiB" is the same).
 * @returns bytes, or undefined when the text is no size, is not whole, or is beyond 2^53
 */
export function parseByteSize(value: string | number): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(?:([KMGT])(?:i?B)?)?$/i.exec(value.trim());
  if (!match?.[1]) return undefined;
  const unit = match[2] ? suffixes[match[2].toUpperCase() as keyof typeof suffixes] : 1;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Writes bytes in the largest binary unit that is exact: 8589934592 is "8G". */
export function formatByteSize(bytes: number): string {
  for (const [suffix, unit] of Object.entries(suffixes).reverse()) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${suffix}`;
  }
  return String(bytes);
}

/** For people: "8 GiB", "1.5 GiB", "512 KiB", "12 B". */
export function describeByteSize(bytes: number): string {
  for (const [suffix, unit] of Object.entries(suffixes).reverse()) {
    if (bytes >= unit) {
      const count = bytes / unit;
      return `${Number.isInteger(count) ? count : count.toFixed(1)} ${suffix}iB`;
    }
  }
  return `${bytes} B`;
}
