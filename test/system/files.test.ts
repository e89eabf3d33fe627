import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { realSystem, SystemError } from "../../src/system/index.ts";

const folder = mkdtempSync(join(tmpdir(), "qlaunch-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("writePart writes bytes in the middle of a file, and makes none", () => {
  const { files } = realSystem;
  const path = join(folder, "config");
  writeFileSync(path, Buffer.from([1, 2, 3, 4, 5]));
  files.writePart(path, 2, Buffer.from([0xfe, 0xff]));
  expect([...readFileSync(path)]).toEqual([1, 2, 0xfe, 0xff, 5]);
  expect([...files.readPart(path, 2, 2)]).toEqual([0xfe, 0xff]);
  expect(() => files.writePart(join(folder, "none"), 0, Buffer.from([0]))).toThrow(SystemError);
});

it("a line is looked for piece by piece, which end anywhere", () => {
  const { files } = realSystem;
  const path = join(folder, "lines");
  const long = "ä".repeat(700);
  writeFileSync(path, `first\n\n${long}\nlast`);
  const seenUntil = (wanted: string | undefined) => {
    const seen: string[] = [];
    expect(files.findLine(path, (line) => seen.push(line) > 0 && line === wanted)).toBe(wanted);
    return seen;
  };
  expect(seenUntil(undefined)).toEqual(["first", "", long, "last"]);
  expect(seenUntil("last")).toEqual(["first", "", long, "last"]);
  expect(seenUntil("first")).toEqual(["first"]);
  expect(files.findLine(join(folder, "none"), () => true)).toBeUndefined();
  writeFileSync(path, "");
  expect(files.findLine(path, () => true)).toBeUndefined();
  // One of the kernel's own.
  expect(files.findLine("/proc/self/status", (line) => line.startsWith("Pid:"))).toBe(`Pid:\t${process.pid}`);
});

it("openAppend adds to what is there", () => {
  const path = join(folder, "log");
  for (const text of ["one\n", "two\n"]) {
    const file = realSystem.files.openAppend(path);
    file.write(text);
    file.close();
  }
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
});
