import { openOutput } from "../system/output.ts";
import { longVersion } from "./version.ts";

const words = process.argv.slice(2);
// The commonest question is answered before anything is loaded.
const [only, ...rest] = words;
if ((only === "--version" || only === "-V") && rest.length === 0) {
  openOutput(1).write(`${longVersion}\n`);
} else {
  const { readPlainLine } = await import("./plain-line.ts");
  const line = await readPlainLine(words);
  if (line !== undefined) await line.run();
  else {
    const { runCli } = await import("./program.ts");
    process.exitCode = await runCli(words);
  }
}
// All is done and written; both runtimes would take themselves down piece by piece, which is a tenth of a command.
process.exit();
