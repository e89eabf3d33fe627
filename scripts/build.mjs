// Bundles the CLI with esbuild, one chunk a command, so that `--version` loads only what it prints; compiles that bundle
// to dist/qlaunch, the same program as one executable that needs no Node; and the library with tsc.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { bunProgram } from "./bun-program.mjs";
import { throughDoors } from "./direct-imports.mjs";
import { importTypeScript } from "./import-typescript.mjs";
import { profileReader } from "./profile-reader.mjs";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
process.chdir(new URL("..", import.meta.url).pathname);
rmSync("dist", { recursive: true, force: true });

/** Programs of guests, which go into what rehearsals boot: "lab/init" to its text. */
const guests = "src/rehearse/guest";
const guestTexts = Object.fromEntries(
  readdirSync(guests).flatMap((guest) =>
    readdirSync(join(guests, guest)).map((name) => [
      `${guest}/${name}`,
      readFileSync(join(guests, guest, name), "utf8"),
    ]),
  ),
);

const { profileSchema, readers } = await importTypeScript("src/profile/schemas.ts");
const reader = (units) => profileReader(profileSchema, readers, units);

/** The schema of profiles as code, in the place of the schema. */
const compiledReader = {
  name: "compiled-reader",
  setup(build) {
    build.onLoad({ filter: /\/src\/profile\/reader\.ts$/ }, () => ({
      contents: reader("../units/index.ts"),
      loader: "js",
      resolveDir: join(process.cwd(), "src/profile"),
    }));
  },
};

/**
 * commander and cross-spawn are CommonJS and require Node's own modules, which a bundle of modules cannot. Programs are
 * what most commands start none of, so that part is loaded when it is used.
 * @see https://nodejs.org/api/process.html#processgetbuiltinmoduleid
 */
const ownModules = {
  name: "own-modules",
  setup(build) {
    const got = (path) => `process.getBuiltinModule(${JSON.stringify(path)})`;
    build.onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === "require-call" && isBuiltin(path) ? { path, namespace: "own-modules" } : undefined,
    );
    build.onLoad({ filter: /./, namespace: "own-modules" }, ({ path }) => ({
      contents: path.endsWith("child_process")
        ? `for (const name of ["spawn", "spawnSync"])
             Object.defineProperty(exports, name, { get: () => ${got(path)}[name] });`
        : `module.exports = ${got(path)};`,
    }));
  },
};

const { metafile } = await build({
  entryPoints: { cli: "src/cli/main.ts" },
  outdir: "dist",
  metafile: true,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  define: {
    QLAUNCH_VERSION: JSON.stringify(version),
    QLAUNCH_PROFILE_READER: JSON.stringify(
      createHash("sha256").update(reader("")).digest("hex").slice(0, 16),
    ),
    QLAUNCH_COMMIT: JSON.stringify(commit()),
    // As text, which stands where it is used; an object would be loaded by all.
    QLAUNCH_GUESTS: JSON.stringify(JSON.stringify(guestTexts)),
  },
  plugins: [compiledReader, ownModules, throughDoors(join(process.cwd(), "src"))],
});

// Which part loads what, for the test that commands load no more than they need.
writeFileSync("dist/meta.json", JSON.stringify(metafile));
const { manPage } = await importTypeScript("scripts/manpage.ts");
writeFileSync("dist/qlaunch.1", await manPage(version));
compile();
execFileSync("npx", ["tsc", "-p", "scripts/tsconfig.library.json"], { stdio: "inherit" });
writeFileSync("dist/lib/profile/reader.js", reader("../units/index.js"));
cpSync(guests, "dist/lib/rehearse/guest", { recursive: true });

/** Where the sources stand, with "-dirty" when files differ from it; "unknown" outside of a repository. */
function commit() {
  try {
    const words = ["describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"];
    return execFileSync("git", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}

/**
 * One executable of the bundle and the runtime, with the code compiled ahead: reading the text costs most of a start.
 * @see https://bun.sh/docs/bundler/executables
 */
function compile() {
  const flags = ["--compile", "--minify", "--bytecode", "--format=esm", "--splitting"];
  // Else a .env or a bunfig.toml of whatever folder it is called in would be read, and its `preload` run.
  const closed = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  // Commands end long before machine code would pay.
  const patient = ["--compile-jit-policy=100"];
  execFileSync(
    bunProgram(),
    ["build", ...flags, ...closed, ...patient, "dist/cli.mjs", "--outfile", "dist/qlaunch"],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
}
