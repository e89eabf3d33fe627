import { Argument, type Command } from "commander";
import { examples } from "../command.ts";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .summary("print a shell's completion script")
    .description("Prints a script that completes commands, options, VM names and profiles.")
    .addHelpText("after", examples('eval "$(qlaunch completion bash)"', "qlaunch completion fish | source"))
    .action(async (shell: "bash" | "zsh" | "fish") => {
      const { completionScripts } = await import("../complete.ts");
      process.stdout.write(completionScripts[shell]);
    });

  // What the scripts ask at each key; it must answer quickly and never fail loudly.
  program.command("__complete [words...]", { hidden: true }).action(async (words: string[]) => {
    const { complete } = await import("../complete.ts");
    const { vmNames } = await import("../../actions/names.ts");
    const { realSystem } = await import("../../system/index.ts");
    const { words: candidates, files } = complete(program, words, vmNames(realSystem));
    process.stdout.write([...candidates, ...(files ? [":files"] : []), ""].join("\n"));
  });
}
