// Runs inside the simulated host: the checks of a suite, whose name is the argument.
import { runSuite } from "./checks.ts";
import { suites } from "./suites.ts";

const [name = ""] = process.argv.slice(2);
const suite = suites[name as keyof typeof suites];
if (suite === undefined) throw new Error(`no suite ${name}`);
await runSuite(suite);
