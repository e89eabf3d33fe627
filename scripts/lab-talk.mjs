#!/usr/bin/env node
// Gives the simulated host its job and prints what that prints; ends with the job's exit status, or with 125 when the
// host ends first or falls silent. Usage: scripts/lab-talk.mjs FOLDER-OF-SOCKETS JOB-FILE TIMEOUT-SECONDS
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";

const [folder, jobFile, timeoutSeconds] = process.argv.slice(2);

// process.exit would cut off what standard output has not taken yet.
const end = (status, message) => {
  if (message !== undefined) {
    process.stderr.write(`${message}\n`);
    const log = `${folder}/serial0.log`;
    const lines = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-40) : [];
    process.stderr.write(`the last lines of its console:\n${lines.map((line) => `  ${line}\n`).join("")}`);
  }
  process.exitCode = status;
  clearTimeout(timer);
  for (const socket of [job, output]) socket.removeAllListeners("close").destroy();
};
const timer = setTimeout(
  () => end(125, `the simulated host said nothing of its job for ${timeoutSeconds} s`),
  Number(timeoutSeconds) * 1000,
);

const output = connect(`${folder}/output.sock`);
output.on("data", (chunk) => {
  if (!process.stdout.write(chunk)) {
    output.pause();
    process.stdout.once("drain", () => output.resume());
  }
});
output.on("error", (error) => end(125, `${folder}: ${error.message}`));

const job = connect(`${folder}/job.sock`);
let answer = "";
job.on("connect", () => job.write(`${readFileSync(jobFile).toString("base64")}\n`));
job.on("data", (chunk) => {
  answer += chunk;
  // The two ports are not ordered: what was printed last may still be on its way.
  if (answer.endsWith("\n")) setTimeout(() => end(Number(answer)), 200);
});
job.on("error", (error) => end(125, `${folder}: ${error.message}`));
job.on("close", () => end(125, "the simulated host ended before the command did"));
