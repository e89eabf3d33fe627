import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { longVersion } from "../../src/cli/version.ts";

const commands = (command: Command): Command[] => [command, ...command.commands.flatMap(commands)];
const program = await buildProgram();
const shown = commands(program).filter((command) => !command.name().startsWith("__"));

describe("the command line", () => {
  it("lists the commands in the order people need them", () => {
    const help = program.helpInformation();
    const headings = ["Before a start:", "Start and stop:", "Look:", "The host and the profile format:"];
    const positions = headings.map((heading) => help.indexOf(`\n${heading}\n`));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(positions[0]).toBeGreaterThan(0);
  });

  it.each(
    shown
      .filter((command) => command.commands.length === 0)
      .map((command) => [command.name(), command] as const),
  )("%s has a summary, a description, an example, and --json where it prints a result", (name, command) => {
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    expect(command.description()).toMatch(/^[A-Z].*\.$/s);
    expect(help).toContain("Examples:\n  ");
    if (name !== "completion") expect(help).toContain("--json");
  });

  it("keeps every line of help within a terminal", () => {
    for (const command of shown) {
      for (const line of command.helpInformation().split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    }
  });
});

describe("one wanted command", () => {
  it("knows of the program only what may be asked for behind it", async () => {
    expect((await buildProgram("ps", "vm")).version()).toBeUndefined();
    for (const words of [
      ["ps"],
      ["ps", "--json"],
      ["ps", "vm", "-V"],
      ["memory", "help", "add"],
      ["no", "such"],
    ]) {
      expect((await buildProgram(...words)).version()).toBe(longVersion);
    }
  });

  it.each(
    program.commands.filter((command) => !command.name().startsWith("__")).map((command) => command.name()),
  )("%s is built alone, as it is among all", async (name) => {
    const alone = await buildProgram(name);
    expect(
      alone.commands.map((command) => command.name()).filter((other) => !other.startsWith("__")),
    ).toEqual([name]);
    const help = (from: Command) =>
      from.commands.find((command) => command.name() === name)?.helpInformation();
    expect(help(alone)).toBe(help(program));
  });

  it.each(["memory", "device"])("%s has the wanted part alone, as it is among all", async (name) => {
    const partsOf = (from: Command) =>
      from.commands.find((command) => command.name() === name)?.commands ?? [];
    for (const part of partsOf(program)) {
      const [alone, ...others] = partsOf(await buildProgram(name, part.name()));
      expect(alone?.helpInformation()).toBe(part.helpInformation());
      expect(others).toEqual([]);
    }
    const unknown = partsOf(await buildProgram(name, "ad"));
    expect(unknown).toHaveLength(partsOf(program).length);
  });
});
