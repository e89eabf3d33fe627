/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
}

/**
 * One line of the table: two kinds of work measured in turn, so that a machine that slows down slows both.
 * @param {string} work
 * @param {string} floor what it is measured against
 * @param {number[]} oursMs
 * @param {number[]} floorMs
 */
export function compare(work, floor, oursMs, floorMs) {
  const ratios = oursMs.map((value, index) => value / floorMs[index]);
  return {
    work,
    floor,
    ratio: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    oursMs: median(oursMs),
    floorMs: median(floorMs),
  };
}

/** Milliseconds that the work takes. */
export async function time(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
