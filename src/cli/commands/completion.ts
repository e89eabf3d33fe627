import { type Command, examples } from "../command.ts";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .addArgument(program.createArgument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .summary("print a shell's completion script")
    .description("Prints a script that completes commands, options, VM names and profiles.")
    .addHelpText("after", examples('eval "$(qlaunch completion bash)"', "qlaunch completion fish | source"))
    .action(async (shell: "bash" | "zsh" | "fish") => {
      const { completionScripts } = await import("../complete.ts");
      process.stdout.write(completionScripts[shell]);
    });
}
