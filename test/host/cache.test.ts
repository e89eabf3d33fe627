import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openCache } from "../../src/host/cache.ts";
import { DryRunViolation, fakeSystem } from "../rig/fake-system.ts";
import { workshop } from "./workshop.ts";

function setUp() {
  const { folder, system } = workshop();
  const cacheFolder = join(folder, "cache/qlaunch/qemu");
  const cache = openCache(system);
  cache.set("a", { size: 1 }, { answer: 42 });
  const [name = ""] = readdirSync(cacheFolder);
  return { folder, system, cache, cacheFolder, file: join(cacheFolder, name) };
}

it("gives back what was kept, also to the next command", () => {
  const { system, cache } = setUp();
  expect(cache.get("a", { size: 1 })).toEqual({ answer: 42 });
  expect(openCache(system).get("a", { size: 1 })).toEqual({ answer: 42 });
});

it("forgets when the key changes, and keeps one file a subject", () => {
  const { cache, cacheFolder } = setUp();
  expect(cache.get("a", { size: 2 })).toBeUndefined();
  cache.set("a", { size: 2 }, "new");
  expect(cache.get("a", { size: 2 })).toBe("new");
  expect(cache.get("a", { size: 1 })).toBeUndefined();
  cache.set("b", { size: 2 }, "other");
  expect(cache.get("a", { size: 2 })).toBe("new");
  expect(readdirSync(cacheFolder)).toHaveLength(2);
});

it("is private", () => {
  const { file, cacheFolder } = setUp();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(cacheFolder).mode & 0o777).toBe(0o700);
});

it.each([
  ["empty", ""],
  ["cut short", '{"key":"{'],
  ["no object", "7"],
  ["null", "null"],
  ["another program's", '{"hello":1}'],
])("takes a file that is %s for nothing and writes it anew", (_, text) => {
  const { cache, file } = setUp();
  writeFileSync(file, text);
  expect(cache.get("a", { size: 1 })).toBeUndefined();
  cache.set("a", { size: 1 }, "again");
  expect(cache.get("a", { size: 1 })).toBe("again");
});

it("does not follow a link", () => {
  const { folder, system, cache, file } = setUp();
  const copy = join(folder, "copy");
  writeFileSync(copy, readFileSync(file));
  system.files.remove(file);
  symlinkSync(copy, file);
  expect(cache.get("a", { size: 1 })).toBeUndefined();
});

it("does not believe a file of another user", () => {
  const { system } = setUp();
  const stranger = { ...system, user: { ...system.user, uid: system.user.uid + 1 } };
  expect(openCache(stranger).get("a", { size: 1 })).toBeUndefined();
});

it("is no trouble where it cannot write", () => {
  const { folder, system } = workshop();
  writeFileSync(join(folder, "cache"), "a file where the folder should be");
  const cache = openCache(system);
  expect(() => cache.set("a", 1, 2)).not.toThrow();
  expect(cache.get("a", 1)).toBeUndefined();
});

it.each([
  ["without HOME", {}],
  ["with a relative XDG_CACHE_HOME and no HOME", { XDG_CACHE_HOME: "cache" }],
])("keeps nothing %s", (_, environment) => {
  const cache = openCache(fakeSystem({}, { environment }));
  expect(() => cache.set("a", 1, 2)).not.toThrow();
  expect(cache.get("a", 1)).toBeUndefined();
});

it("does not hide a write in a dry run", () => {
  const cache = openCache(fakeSystem({}, { environment: { HOME: "/home/ann" } }));
  expect(() => cache.set("a", 1, 2)).toThrow(DryRunViolation);
});

it("makes the folder again when somebody cleans up", () => {
  const { system, cache, cacheFolder } = setUp();
  system.files.remove(cacheFolder);
  cache.set("a", 1, 2);
  expect(cache.get("a", 1)).toBe(2);
});
