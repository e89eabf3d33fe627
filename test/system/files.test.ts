import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
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

it("a line is looked for by its beginning, and nothing is read behind it", () => {
  const { files } = realSystem;
  const path = join(folder, "beginnings");
  writeFileSync(path, "one\n\n55d0c0000000 bind:0 ä\n7f00 a\nlast");
  for (const line of ["one", "55d0c0000000 bind:0 ä", "7f00 a", "last"]) {
    expect(files.findLineFrom(path, line.slice(0, 3))).toBe(line);
    expect(files.findLineFrom(path, line)).toBe(line);
    for (const leastBytes of [[], [1], [4, 1, 25], new Array(100).fill(16)]) {
      expect(files.findLineFrom(path, line, leastBytes)).toBe(line);
    }
  }
  expect(files.findLineFrom(path, "55d0c00000000")).toBeUndefined();
  expect(files.findLineFrom(path, "none")).toBeUndefined();
  expect(files.findLineFrom(join(folder, "none"), "")).toBeUndefined();
  expect(files.findLineFrom("/proc/self/status", "Pid:")).toBe(`Pid:\t${process.pid}`);

  const pipe = join(folder, "pipe");
  execaSync("mkfifo", [pipe]);
  // For both: the opening of one end alone would wait for the other.
  const end = openSync(pipe, "r+");
  for (const known of [0, 1, 3, 4]) {
    // Parts begin and end anywhere in a line.
    for (let more = 0; more < 20; more++) {
      // A line has what is said of it, or more.
      const leastBytes = [20 + more, 18, 21, 19].slice(0, known);
      const before = `55d0c0000000 default${"x".repeat(more)}\n55d0c0100000 default\n55d0c0200000 default\n`;
      writeSync(end, `${before}7f0000000000 bind:0\n7f0000200000 bind:0 anon=1000000\n`);
      expect(files.findLineFrom(pipe, "7f0000000000 ", leastBytes)).toBe("7f0000000000 bind:0");
      const rest = Buffer.alloc(100);
      expect(rest.toString("utf8", 0, readSync(end, rest))).toBe("7f0000200000 bind:0 anon=1000000\n");
    }
  }
  closeSync(end);
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
