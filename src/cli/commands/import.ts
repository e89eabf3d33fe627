import { type Command, define, examples } from "../command.ts";

interface ImportOptions {
  readonly json?: boolean;
  readonly host?: string;
  readonly output?: string;
  readonly replan?: boolean;
  readonly strict?: boolean;
  readonly live?: boolean;
  readonly force?: boolean;
}

export function addImport(program: Command): void {
  const command = program
    .command("import <domain>")
    .summary("make a profile of a libvirt domain")
    .description(
      "Reads the XML of a libvirt domain, as virsh dumpxml prints it (- is standard input), and prints a profile for the same guest, with its PCI addresses. Says on standard error what is better and what is lost. Nothing of libvirt is needed: with --live, the file that libvirtd keeps of a running domain, /run/libvirt/qemu/NAME.xml, will do.",
    )
    .option("--host <snapshot>", "fill what the domain leaves open from this host instead of this machine")
    .option("-o, --output <file>", "write the profile to a file instead of standard output")
    .option("--replan", "let qlaunch lay out the PCI devices anew, instead of keeping the guest's addresses")
    .option("--live", "the domain runs: leave out what libvirt adds at its start, such as vnet0")
    .option("--force", "write over the file of --output")
    .option("--strict", "fail when anything is lost")
    .addHelpText(
      "after",
      examples(
        "virsh dumpxml db > db.xml; qlaunch import db.xml -o db.json",
        "virsh dumpxml db | qlaunch import --live -",
        "qlaunch import --live /run/libvirt/qemu/db.xml",
        "qlaunch import db.xml --json | jq .report",
      ),
    );
  define(command, async ({ system, terminal }, options: ImportOptions, file: string) => {
    const { importFile } = await import("../../actions/import.ts");
    const { renderImport, renderJson } = await import("../../report/index.ts");
    const { profile, profileText, report } = await importFile(system, {
      file,
      snapshot: options.host,
      replan: options.replan === true,
      strict: options.strict === true,
      output: options.output,
      force: options.force === true,
      live: options.live === true,
    });
    if (terminal.json) return terminal.print(renderJson({ profile, report }));
    terminal.printError(renderImport(report, terminal.errorStyle));
    if (options.output === undefined) terminal.print(profileText.trimEnd());
  });
}
