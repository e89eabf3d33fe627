import { describe, expect, it } from "vitest";
import { complete } from "../../src/cli/complete.ts";
import { buildProgram } from "../../src/cli/program.ts";

const program = await buildProgram();
const candidates = (...words: string[]) => complete(program, words, ["demo", "gpu"]);

describe("completion", () => {
  it.each<[line: string, words: string[]]>([
    ["pl", ["plan"]],
    ["re", ["rehearse", "resume", "reset"]],
    ["down ", ["demo", "gpu"]],
    ["down g", ["gpu"]],
    ["nccl g", ["gpu"]],
    ["down --timeout 5 ", ["demo", "gpu"]],
    ["down --t", ["--timeout"]],
    ["plan x.json --format ", ["shell", "argv", "json", "explain", "libvirt"]],
    ["plan x.json --format e", ["explain"]],
    ["host ", ["show", "snapshot"]],
    ["completion f", ["fish"]],
    ["qmp demo ", []],
  ])("after `qlaunch %s`", (line, words) => {
    expect(candidates(...line.split(" ")).words).toEqual(words);
  });

  it("asks the shell for files where a profile or an option's file stands", () => {
    expect(candidates("up", "").files).toBe(true);
    expect(candidates("nccl", "").files).toBe(true);
    expect(candidates("plan", "x.json", "--host", "").files).toBe(true);
    expect(candidates("down", "").files).toBe(false);
  });

  it("hides what only the shells call", () => {
    expect(candidates("").words.filter((word) => word.startsWith("_"))).toEqual([]);
  });
});
