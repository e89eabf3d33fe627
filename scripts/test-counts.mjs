// Prints "PASSED FAILED SKIPPED" of a vitest JSON report, and then a line for each failure: where, and how it says what
// is wrong. What fails outside of a test (a file that does not load, an error nobody caught, a run without tests) counts
// as one failed test. Usage: scripts/test-counts.mjs REPORT EXIT-STATUS
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const [path, status] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, "utf8"));
const results = report.testResults.flatMap((file) => file.assertionResults);
const count = (...states) => results.filter((result) => states.includes(result.status)).length;
const isFailed = ({ status: state }) => state === "failed";
const line = (...parts) => parts.join(" > ").replace(/\s+/g, " ").slice(0, 400);
const withoutStack = (text) => text.split(/\n\s+at /)[0];

const passed = count("passed");
const failures = report.testResults.flatMap(({ name, message, assertionResults, ...file }) => {
  const where = relative(process.cwd(), name);
  const tests = assertionResults.filter(isFailed);
  if (tests.length === 0 && isFailed(file)) return [`${line(where)}: ${line(message)}`];
  return tests.map(
    ({ fullName, failureMessages }) =>
      `${line(where, fullName)}: ${line(withoutStack(failureMessages[0] ?? ""))}`,
  );
});
if (failures.length === 0 && (status !== "0" || passed === 0)) {
  failures.push(passed === 0 ? "no test ran" : "an error outside of the tests");
}
const skipped = results.length - passed - count("failed");
process.stdout.write([`${passed} ${failures.length} ${skipped}`, ...failures, ""].join("\n"));
