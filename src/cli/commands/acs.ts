import { type Command, define, examples } from "../command.ts";

export function addAcs(program: Command): void {
  const acs = program
    .command("acs")
    .summary("access control of PCIe ports (ACS), and ATS of NICs")
    .description(
      "What ports do with requests between devices (ACS), and which NICs translate addresses themselves (ATS). With both, devices below one switch reach each other without the way through the root complex.",
    );
  addShow(acs);
  addApply(acs);
  addRestore(acs);
}

function addShow(acs: Command): void {
  const command = acs
    .command("show", { isDefault: true })
    .summary("show every port and NIC")
    .description(
      "Shows every port and NIC: the bits of ACS that it can have, + for those that are set, what acs apply would change, and whether ATS is on. Config space shows it to root alone.",
    )
    .option("--host <snapshot>", "the host of this snapshot instead of this machine")
    .addHelpText(
      "after",
      examples(
        "qlaunch acs show",
        "qlaunch acs show --host rack7.json",
        `qlaunch acs show --json | jq '.[] | select(.class | startswith("02")) | select(.ats != true)'`,
      ),
    );
  define(command, async ({ system, terminal }, options: { json?: boolean; host?: string }) => {
    const { listAcs } = await import("../../actions/acs.ts");
    const { renderAcs, renderDiagnostics, renderJson } = await import("../../report/index.ts");
    const { functions, warnings } = await listAcs(system, { snapshot: options.host });
    terminal.printError(renderDiagnostics(warnings, terminal.errorStyle));
    terminal.print(terminal.json ? renderJson(functions) : renderAcs(functions, terminal.style));
  });
}

function addApply(acs: Command): void {
  const command = acs
    .command("apply [address...]")
    .summary("let translated requests stay below their switch")
    .description(
      "Sets SrcValid, ReqRedir, CmpltRedir, UpstreamFwd and DirectTrans, and clears TransBlk and EgressCtrl, as far as a port can have them: on root ports and downstream ports of switches, on all of them or on those that are named, all or none. A restart of the machine resets it.",
    )
    .addHelpText("after", examples("qlaunch acs apply", "qlaunch acs apply 0000:17:01.0 17:02.0"));
  define(command, async ({ system, terminal }, _flags: { json?: boolean }, addresses: string[]) => {
    const { applyPortAcs } = await import("../../actions/acs.ts");
    const { renderAcsChanges } = await import("../../report/index.ts");
    const ports = await applyPortAcs(system, addresses, terminal.emit);
    if (terminal.json) return terminal.printJsonLine({ type: "result", ports });
    terminal.print(renderAcsChanges(ports));
  });
}

function addRestore(acs: Command): void {
  const command = acs
    .command("restore [address...]")
    .summary("put back what ports had before acs apply")
    .description(
      "Puts back what ports had before acs apply changed them for the first time since the machine started: all of them, or those that are named.",
    )
    .addHelpText("after", examples("qlaunch acs restore"));
  define(command, async ({ system, terminal }, _flags: { json?: boolean }, addresses: string[]) => {
    const { restorePortAcs } = await import("../../actions/acs.ts");
    const { renderAcsChanges } = await import("../../report/index.ts");
    const ports = await restorePortAcs(system, addresses, terminal.emit);
    if (terminal.json) return terminal.printJsonLine({ type: "result", ports });
    terminal.print(renderAcsChanges(ports));
  });
}
