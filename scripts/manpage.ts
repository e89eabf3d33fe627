import type { Command, Option } from "commander";
import { buildProgram } from "../src/cli/program.ts";

/** Text that roff takes as it is. @see https://man7.org/linux/man-pages/man7/groff_char.7.html */
const plain = (text: string) =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");
const bold = (text: string) => `\\fB${plain(text)}\\fR`;

const optionLines = (option: Option) => [".TP", bold(option.flags), plain(option.description)];

function commandLines(command: Command, path: string): string[] {
  const shown = command.commands.filter((inner) => !inner.name().startsWith("__") && inner.name() !== "help");
  if (shown.length > 0) return shown.flatMap((inner) => commandLines(inner, `${path} ${inner.name()}`));
  const usage = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  return [
    ".SS",
    bold([path, ...usage].join(" ")),
    ".PP",
    plain(command.description()),
    ...command.options.flatMap(optionLines),
  ];
}

/** The manual page qlaunch(1) as roff, made of the command line itself. */
export async function manPage(version: string): Promise<string> {
  const program = await buildProgram();
  const lines = [
    `.TH QLAUNCH 1 "" "qlaunch ${version}" "User Commands"`,
    ".SH NAME",
    "qlaunch \\- run QEMU/KVM guests on the topology of the host",
    ".SH SYNOPSIS",
    `${bold("qlaunch")} \\fIcommand\\fR [\\fIoptions\\fR]`,
    ".SH DESCRIPTION",
    ...plain(program.description())
      .split("\n\n")
      .flatMap((paragraph) => [paragraph, ".PP"]),
    ".SH COMMANDS",
    ...commandLines(program, "qlaunch"),
    ".SH EXIT STATUS",
    ...["0|done", "1|refused by the host or the VM", "2|wrong usage or invalid profile", "70|a bug"].flatMap(
      (line) => {
        const [status = "", meaning = ""] = line.split("|");
        return [".TP", bold(status), plain(meaning)];
      },
    ),
    ".SH ENVIRONMENT",
    ...[
      ["QLAUNCH_QEMU", "The QEMU program. Default: the installed one."],
      [
        "QLAUNCH_RUN_DIR",
        "Where running VMs have their folders. Default: /run/qlaunch, or $XDG_RUNTIME_DIR/qlaunch.",
      ],
      [
        "XDG_CACHE_HOME",
        "What was found out about programs is kept in its folder qlaunch. Default: ~/.cache.",
      ],
      ["NO_COLOR", "When set, no colours."],
    ].flatMap(([name = "", meaning = ""]) => [".TP", bold(name), plain(meaning)]),
  ];
  return `${lines.join("\n")}\n`;
}
