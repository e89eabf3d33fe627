import { type Command, define, examples } from "../command.ts";

export function addVcpus(program: Command): void {
  const command = program
    .command("vcpus <name>")
    .summary("show where a VM's vCPUs run")
    .description(
      "Shows each vCPU's thread, the host CPUs it may use, read from the kernel, and where it ran last.",
    )
    .addHelpText("after", examples("qlaunch vcpus gpu", "qlaunch vcpus gpu --json | jq '.[].allowedCpus'"));
  define(command, async ({ system, terminal }, _options: { json?: boolean }, name: string) => {
    const { listVcpuThreads } = await import("../../actions/vm.ts");
    const { readHostNodes } = await import("../../actions/host.ts");
    const { renderJson, renderVcpus } = await import("../../report/index.ts");
    const threads = await listVcpuThreads(system, name);
    terminal.print(
      terminal.json ? renderJson(threads) : renderVcpus(threads, readHostNodes(system), terminal.style),
    );
  });
}
