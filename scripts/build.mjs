// Bundles the CLI with esbuild, one chunk a command, so that `--version` loads only what it prints.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
process.chdir(new URL("..", import.meta.url).pathname);
rmSync("dist", { recursive: true, force: true });

await build({
  entryPoints: { cli: "src/cli/main.ts" },
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  define: { QLAUNCH_VERSION: JSON.stringify(version) },
  // commander and cross-spawn are CommonJS: they call require for Node's own modules.
  banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
});

// Programs of guests, which go into what rehearsals boot; they lie beside the code that reads them.
const guests = "src/rehearse/guest";
cpSync(guests, "dist/guest", { recursive: true });
cpSync(guests, "dist/lib/rehearse/guest", { recursive: true });
execFileSync("npx", ["tsc", "-p", "scripts/tsconfig.library.json"], { stdio: "inherit" });
