import { existsSync } from "node:fs";

/**
 * The runtime of the single file. The wrapper's install script, which may not have run, moves it out of the platform's package.
 * @returns {string} its path
 */
export function bunProgram() {
  const places = [`@oven/bun-linux-${process.arch}/bin/bun`, "bun/bin/bun.exe"];
  const bun = places
    .map((place) => new URL(`../node_modules/${place}`, import.meta.url).pathname)
    .find((place) => existsSync(place));
  if (bun === undefined) throw new Error("bun is missing: run npm ci");
  return bun;
}
