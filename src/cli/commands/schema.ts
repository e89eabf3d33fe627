import { type Command, define, examples } from "../command.ts";

export function addSchema(program: Command): void {
  const command = program
    .command("schema")
    .summary("print the profile format as JSON Schema")
    .description("Prints the JSON Schema of profiles, for editors and other programs.")
    .addHelpText("after", examples("qlaunch schema > profile.schema.json"));
  define(command, async ({ terminal }) => {
    const { profileJsonSchema } = await import("../../actions/schema.ts");
    const { renderJson } = await import("../../report/index.ts");
    terminal.print(renderJson(profileJsonSchema()));
  });
}
