import { refusal } from "../../errors/index.ts";
import { type Command, define, examples } from "../command.ts";
import { exitStatus } from "../exit.ts";

interface ConsoleOptions {
  readonly json?: boolean;
  readonly console?: string;
  readonly escape: string;
}

export function addConsole(program: Command): void {
  const command = program
    .command("console <name>")
    .summary("talk to a VM's console")
    .description(
      "Connects this terminal to a console of the guest. Ctrl-] ends it. One program at a time can use a console.",
    )
    .option("--console <id>", "which console (default: the first serial port, else the first virtio console)")
    .addOption(
      program
        .createOption(
          "--escape <key>",
          'the key that ends the session: "^" and a letter or one of ] [ \\ _, or "none"',
        )
        .default("^]"),
    )
    .addHelpText(
      "after",
      examples("qlaunch console gpu", "qlaunch console gpu --console virtio0 --escape ^A"),
    );
  define(command, async ({ system, terminal }, options: ConsoleOptions, name: string) => {
    const { attachConsole } = await import("../../actions/vm.ts");
    const escapeKey = escapeByte(options.escape);
    const { stdin, stdout } = process;
    const interactive = stdin.isTTY === true;
    if (interactive) {
      terminal.printError(
        `${name}: ${escapeKey === null ? "no key ends this" : `${options.escape} ends this`}`,
      );
      stdin.setRawMode(true);
    }
    try {
      const end = await attachConsole(system, name, {
        input: stdin,
        output: stdout,
        escapeByte: interactive ? escapeKey : null,
        ...(options.console === undefined ? {} : { console: options.console }),
      });
      if (interactive) terminal.printError(end === "closed" ? `\r\n${name} closed the console` : "");
      return exitStatus.done;
    } finally {
      if (interactive) stdin.setRawMode(false);
      stdin.pause();
    }
  });
}

/** "^]" is 0x1d: the control character of a key. */
function escapeByte(key: string): number | null {
  if (key === "none") return null;
  const letter = /^\^([A-Za-z[\\\]^_])$/.exec(key)?.[1];
  if (letter !== undefined) return letter.toUpperCase().charCodeAt(0) & 0x1f;
  throw refusal("USAGE", {
    found: `the escape key "${key}"`,
    needed: '"^" and a letter or one of ] [ \\ _, or "none"',
    fix: "write --escape ^]",
  });
}
