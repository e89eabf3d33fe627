import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const { directImports } = (await import(
  new URL("../../scripts/direct-imports.mjs", import.meta.url).href
)) as {
  directImports(text: string, path: string): string;
};
const sources = new URL("../../src/", import.meta.url).pathname;
const inActions = (text: string) => directImports(text, join(sources, "actions/some.ts"));

describe("an import from a room's door", () => {
  it("goes to the files that have the values, and no further", () => {
    const text = 'import { findVm, type VmRecord, runRoot as root } from "../vm/index.ts";';
    expect(inActions(text)).toBe(
      `import { findVm as findVm } from "${sources}vm/find.ts"; import { runRoot as root } from "${sources}vm/run-root.ts";`,
    );
  });

  it("takes what is passed on with it", () => {
    expect(inActions('export { verifyVm } from "../verify/index.ts";')).toMatch(
      /^export { verifyVm as verifyVm } from ".*\/verify\/(?!index)[a-z-]+\.ts";$/,
    );
  });

  it("is loaded by file where it is loaded when it is needed", () => {
    expect(inActions('    const { findVm, runRoot } = await import("../vm/index.ts");')).toBe(
      `    const { findVm: findVm } = await import("${sources}vm/find.ts");     const { runRoot: runRoot } = await import("${sources}vm/run-root.ts");`,
    );
  });

  it("stays as it is where the door does not name a value, and where it is of a file", () => {
    for (const text of [
      'import { nothingSuch } from "../vm/index.ts";',
      'import { findVm } from "../vm/find.ts";',
      'import type { VmRecord } from "../vm/index.ts";',
      'const { nothingSuch } = await import("../vm/index.ts");',
      'const { findVm } = await import("../vm/find.ts");',
      'const door = await import("../vm/index.ts");',
    ]) {
      expect(inActions(text)).toBe(text);
    }
  });
});

it("no source imports a value by a door's name that the build would leave", () => {
  const left = (readdirSync(sources, { recursive: true }) as string[])
    .filter((name) => name.endsWith(".ts") && !name.endsWith("index.ts"))
    .flatMap((name) => {
      const path = join(sources, name);
      const text = directImports(readFileSync(path, "utf8"), path);
      return /^(import|export) \{[^}]*\} from "(\.\.\/)+[a-z]+\/index\.ts";$|import\(\s*"(\.\.\/)+[a-z]+\/index\.ts",?\s*\)/m.test(
        text,
      )
        ? [name]
        : [];
    });
  expect(left).toEqual([]);
});
