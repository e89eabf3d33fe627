import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openRehearsalFolder } from "../../src/actions/rehearsal-folder.ts";
import { realSystem, type System } from "../../src/system/index.ts";

let parent: string;
let system: System;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "qlaunch-folders-"));
  system = { ...realSystem, user: { ...realSystem.user, environment: { TMPDIR: parent } } };
});
afterEach(() => rmSync(parent, { recursive: true }));

const open = (keep = false) => openRehearsalFolder(system, keep);
/** Left behind a minute ago. */
const left = (name: string, mode = 0o700) => {
  mkdirSync(join(parent, name), { mode });
  age(join(parent, name));
};
const age = (path: string) => utimesSync(path, Date.now() / 1000 - 60, Date.now() / 1000 - 60);

it("a rehearsal has a folder that is its own, and gone afterwards", async () => {
  const folder = await open();
  expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  folder.close();
  expect(readdirSync(parent)).toEqual([]);
});

it("one that shall stay stays, also when others come after it", async () => {
  const folder = await open(true);
  folder.close();
  age(folder.path);
  (await open()).close();
  expect(existsSync(folder.path)).toBe(true);
});

it("those of rehearsals that live are left alone, those of killed ones are removed", async () => {
  const living = await open();
  age(living.path);
  left("qlaunch-rehearsal-00000000");
  const another = await open();
  expect(readdirSync(parent).sort()).toEqual(
    [living.path, another.path].map((path) => path.slice(parent.length + 1)).sort(),
  );
  living.close();
  another.close();
});

it("what is somebody's, or something else, is left alone", async () => {
  left("qlaunch-rehearsal-00000001", 0o755);
  left("qlaunch-other");
  writeFileSync(join(parent, "qlaunch-rehearsal-00000002"), "");
  (await open()).close();
  expect(readdirSync(parent)).toHaveLength(3);
});
