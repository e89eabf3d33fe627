import { refusal } from "../../errors/index.ts";
import { type Command, define, examples } from "../command.ts";

export function addQmp(program: Command): void {
  const command = program
    .command("qmp <name> <command> [json]")
    .summary("send one command to QEMU's monitor")
    .description("Sends a QMP command and prints QEMU's answer as JSON. What it changes is outside the plan.")
    .addHelpText(
      "after",
      examples(
        "qlaunch qmp gpu query-status",
        `qlaunch qmp gpu qom-get '{"path": "/machine", "property": "type"}'`,
      ),
    );
  define(
    command,
    async ({ system, terminal }, _options: { json?: boolean }, name: string, verb: string, json?: string) => {
      const { executeQmp } = await import("../../actions/vm.ts");
      const { renderJson } = await import("../../report/index.ts");
      terminal.print(renderJson(await executeQmp(system, name, verb, parseArguments(json))));
    },
  );
}

function parseArguments(json: string | undefined): Record<string, unknown> | undefined {
  if (json === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw refusal(
      "USAGE",
      {
        found: `the arguments are no JSON: ${error instanceof Error ? error.message : ""}`,
        needed: "one JSON object",
        fix: `quote it for the shell: '{"key": "value"}'`,
      },
      { cause: error },
    );
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw refusal("USAGE", {
    found: `the arguments are ${JSON.stringify(value)}`,
    needed: "one JSON object",
    fix: `write '{"key": "value"}'`,
  });
}
