import type { Command } from "commander";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPlainLine } from "../../src/cli/plain-line.ts";
import { buildProgram } from "../../src/cli/program.ts";

const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
const pathOf = (command: Command): string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()];
const program = await buildProgram();
const leaves = all(program).filter(
  ({ commands, parent }) => commands.length === 0 && parent !== null && !parent.name().startsWith("__"),
);

/** What commander makes of a line; undefined where it has something to say. */
async function readByCommander(words: readonly string[]) {
  const fresh = await buildProgram(...words);
  let line: { names: string[]; arguments: unknown[]; options: unknown } | undefined;
  for (const command of all(fresh)) {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.commands.length > 0) continue;
    command.action((...parameters) => {
      line = { names: pathOf(command), arguments: parameters.slice(0, -2), options: parameters.at(-2) };
    });
  }
  await fresh.parseAsync([...words], { from: "user" }).catch(() => {});
  return line;
}

async function readPlainly(words: readonly string[]) {
  const line = await readPlainLine(words);
  return line && { names: line.names, arguments: line.arguments, options: line.options };
}

const word = fc.constantFrom(
  "gpu",
  "8",
  "0-3",
  "",
  "1.5",
  "json",
  "tail",
  "all",
  "shell",
  "dimm",
  "help",
  "a=b",
);
const odd = fc.constantFrom("-", "--", "-h", "--help", "-V", "-5", "--nothing", "--json=yes", "-o", "--wait");

/** A line for a command: its own words mostly, some left out, doubled or odd. */
const lines = fc.constantFrom(...leaves).chain((command) => {
  const operands = command.registeredArguments.map(({ required }) =>
    fc.option(word, { freq: required ? 20 : 2 }),
  );
  const options = command.options.map(({ long, required, argChoices, mandatory }) =>
    fc.option(
      fc.tuple(
        fc.constant(long ?? ""),
        ...(required ? [argChoices ? fc.constantFrom(...argChoices) : fc.oneof(word, word, word, odd)] : []),
      ),
      { freq: mandatory ? 20 : 2 },
    ),
  );
  const rare = fc.option(
    fc.oneof(word, odd).map((one) => [one]),
    { freq: 2, nil: [] },
  );
  return fc
    .tuple(fc.tuple(...operands), fc.tuple(...options), rare, fc.nat(), fc.boolean())
    .map(([values, told, more, at, inFront]) => {
      const flags = told.flatMap((one) => one ?? []);
      const rest = values.flatMap((one) => (one === null ? [] : [one]));
      const own = inFront ? [...flags, ...rest] : [...rest, ...flags];
      own.splice(at % (own.length + 1), 0, ...more);
      return [...pathOf(command), ...own];
    });
});

describe("a plain line", () => {
  it("is read as commander reads it", async () => {
    let plain = 0;
    await fc.assert(
      fc.asyncProperty(lines, async (words) => {
        const line = await readPlainly(words);
        if (line === undefined) return;
        plain++;
        expect(line).toEqual(await readByCommander(words));
      }),
      { numRuns: 2000 },
    );
    // Else the property would say nothing.
    expect(plain).toBeGreaterThan(400);
  });

  it.each([
    [[]],
    [["no-such"]],
    [["constructor"]],
    [["memory"]],
    [["memory", "ad", "vm"]],
    [["memory", "add", "vm"]],
    [["memory", "add", "vm", "--size"]],
    [["memory", "add", "vm", "--size=1G"]],
    [["memory", "add", "vm", "--size <size>", "1G"]],
    [["memory", "add", "vm", "--size", "1G", "--size", "2G"]],
    [["memory", "add", "vm", "--size", "1G", "--kind", "ram"]],
    [["memory", "add", "vm", "more", "--size", "1G"]],
    [["ps", "--help"]],
    [["ps", "-V"]],
    [["down", "vm", "--timeout", "soon"]],
    [["down", "--", "vm"]],
    [["import", "vm.xml", "-o", "vm.json"]],
    [["host"]],
    [["host", "snapshot", "--sysfs", "rack"]],
    [["completion", "bash"]],
    [["__complete", "ps"]],
  ])("%j is commander's", async (words) => {
    expect(await readPlainLine(words)).toBeUndefined();
  });

  it.each<[string[], unknown]>([
    [["ps"], { names: ["ps"], arguments: [], options: {} }],
    [
      ["setvcpus", "vm", "8", "--no-wait", "--timeout", "1.5"],
      {
        names: ["setvcpus"],
        arguments: ["vm", "8"],
        options: { spread: "balanced", wait: false, timeout: 1.5 },
      },
    ],
    [
      ["memory", "add", "vm", "--size", "1G", "--page-size", "2M", "--json"],
      {
        names: ["memory", "add"],
        arguments: ["vm"],
        options: { kind: "dimm", size: "1G", pageSize: "2M", wait: true, timeout: 60, json: true },
      },
    ],
    [
      ["vfio", "bind", "0000:01:00.0", "0000:02:00.0"],
      {
        names: ["vfio", "bind"],
        arguments: [["0000:01:00.0", "0000:02:00.0"]],
        options: {},
      },
    ],
  ])("%j is read", async (words, line) => {
    expect(await readPlainly(words)).toEqual(line);
  });

  it("is what most examples are", async () => {
    const examples = leaves.flatMap((command) => {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      const shown = help.split("\n").flatMap((line) => /^ {2}qlaunch ([^'"|>$]+)$/.exec(line)?.[1] ?? []);
      return shown.map((line) => line.trim().split(" "));
    });
    const read = await Promise.all(examples.map(readPlainLine));
    expect(examples.length).toBeGreaterThan(40);
    expect(read.filter((line) => line !== undefined).length / examples.length).toBeGreaterThan(0.8);
  });
});
