// Lets a plain Node script use the program's own modules: bundles one TypeScript file and imports the result.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @param {string} path of the file, from the repository's root */
export async function importTypeScript(path) {
  const folder = join(root, "node_modules/.cache/qlaunch");
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${path.replaceAll("/", "-")}.${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, path)],
    outfile,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20.19",
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile);
  }
}
