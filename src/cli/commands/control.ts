import { type Command, define, examples } from "../command.ts";

type Verb = "pause" | "resume" | "reset";

const texts = {
  pause: { summary: "stop a VM's vCPUs", done: "is paused" },
  resume: { summary: "let a paused VM go on", done: "runs" },
  reset: { summary: "reset a VM, as its reset button would", done: "was reset" },
};

export const addPause = (program: Command) => add(program, "pause");
export const addResume = (program: Command) => add(program, "resume");
export const addReset = (program: Command) => add(program, "reset");

function add(program: Command, verb: Verb): void {
  const command = program
    .command(`${verb} <name>`)
    .summary(texts[verb].summary)
    .description(`${texts[verb].summary[0]?.toUpperCase()}${texts[verb].summary.slice(1)}.`)
    .addHelpText("after", examples(`qlaunch ${verb} gpu`));
  define(command, async ({ system, terminal }, _options: { json?: boolean }, name: string) => {
    const { pauseVm, resetVm, resumeVm } = await import("../../actions/vm.ts");
    await { pause: pauseVm, resume: resumeVm, reset: resetVm }[verb](system, name);
    if (terminal.json) return terminal.printJsonLine({ type: "result", name, action: verb });
    terminal.print(`${name} ${texts[verb].done}`);
  });
}
