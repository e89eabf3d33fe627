// Leads imports from a room's door (index.ts) to the files behind it: a door loads the whole room, whatever is asked for.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const statement = /^(import|export) \{([^}]*)\} from "(\.[^"]*)";$/gm;
/** Of a door that is loaded when something of it is needed. */
const loading = /^( *const) \{([^}]*)\} = await import\(\s*"(\.[^"]*)",?\s*\);$/gm;

/** @typedef {{ imported: string, local: string, isType: boolean }} Name */

/** @returns {Name[]} the names between the braces of a statement */
function namesIn(braces) {
  return braces
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const isType = part.startsWith("type ");
      const [imported, local = imported] = part.replace(/^type /, "").split(" as ");
      return { imported, local, isType };
    });
}

/** Where each value of a door comes from: its name there, and the file. */
function readDoor(path) {
  const sources = new Map();
  for (const [, verb, braces, from] of readFileSync(path, "utf8").matchAll(statement)) {
    if (verb === "import") return new Map();
    for (const { imported, local, isType } of namesIn(braces)) {
      if (!isType) sources.set(local, { imported, file: join(dirname(path), from) });
    }
  }
  return sources;
}

/**
 * The text of a module with its imports of values from doors split by file. What a door does not list stays as it is.
 * @param {string} text
 * @param {string} path of the module
 */
export function directImports(text, path) {
  const split = (spell) => (whole, verb, braces, from) => {
    if (!from.endsWith("/index.ts")) return whole;
    const sources = readDoor(join(dirname(path), from));
    const values = namesIn(braces).filter(({ isType }) => !isType);
    if (values.some(({ imported }) => !sources.has(imported))) return whole;
    return values.map(({ imported, local }) => spell(verb, sources.get(imported), local)).join(" ");
  };
  return text
    .replace(
      statement,
      split(
        (verb, { imported, file }, local) =>
          `${verb} { ${imported} as ${local} } from ${JSON.stringify(file)};`,
      ),
    )
    .replace(
      loading,
      split(
        (verb, { imported, file }, local) =>
          `${verb} { ${imported}: ${local} } = await import(${JSON.stringify(file)});`,
      ),
    );
}

/** The same as a plugin of esbuild, for the modules below a folder. */
export function throughDoors(folder) {
  return {
    name: "through-doors",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) =>
        path.startsWith(`${folder}/`)
          ? { contents: directImports(readFileSync(path, "utf8"), path), loader: "ts" }
          : undefined,
      );
    },
  };
}
