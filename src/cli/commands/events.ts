import { type Command, define, examples } from "../command.ts";
import { untilInterrupted } from "../signals.ts";

export function addEvents(program: Command): void {
  const command = program
    .command("events <name>")
    .summary("follow a VM's events")
    .description("Prints QEMU's events as they come, until the VM ends or Ctrl-C.")
    .addHelpText("after", examples("qlaunch events gpu", "qlaunch events gpu --json | jq -r .name"));
  define(command, async ({ system, terminal }, _options: { json?: boolean }, name: string) => {
    const { followEvents } = await import("../../actions/vm.ts");
    const { humanRenderer } = await import("../../report/index.ts");
    const render = humanRenderer(terminal.style);
    await untilInterrupted((signal) =>
      followEvents(system, name, {
        signal,
        emit: (event) => {
          if (terminal.json) terminal.printJsonLine(event);
          else process.stdout.write(render(event));
        },
      }),
    );
  });
}
