// Prints "PASSED FAILED SKIPPED" of a vitest JSON report. What fails outside of a test (a file that does not load, an
// error nobody caught, a run without tests) counts as one failed test. Usage: scripts/test-counts.mjs REPORT EXIT-STATUS
import { readFileSync } from "node:fs";

const [path, status] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, "utf8"));
const results = report.testResults.flatMap((file) => file.assertionResults);
const count = (...states) => results.filter((result) => states.includes(result.status)).length;

const passed = count("passed");
const brokenFiles = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((result) => result.status === "failed"),
).length;
let failed = count("failed") + brokenFiles;
if (failed === 0 && (status !== "0" || passed === 0)) failed = 1;
process.stdout.write(`${passed} ${failed} ${results.length - passed - count("failed")}\n`);
