#!/usr/bin/env node
// Gives the simulated host its job and prints what that prints; ends with the job's exit status, or with 125 when the
// host does not get ready, ends first or falls silent. A file beside the job, with .taken behind its name, says that the
// host has it. Usage: scripts/lab-talk.mjs FOLDER-OF-SOCKETS JOB-FILE SECONDS
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";

const [folder, jobFile, jobSeconds] = process.argv.slice(2);
/** It takes 10 s on an idle machine. */
const bootSeconds = 90;
/** What the host needs beside the job's own time. */
const reserveSeconds = 60;

const consoleEnd = () => {
  const log = `${folder}/serial0.log`;
  const lines = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-40) : [];
  return `the last lines of its console:\n${lines.map((line) => `  ${line}\n`).join("")}`;
};

// Not process.exit, which cuts off what standard output has not taken yet.
const end = (status, message) => {
  if (message !== undefined) process.stderr.write(`${message}\n${consoleEnd()}`);
  process.exitCode = status;
  clearTimeout(timer);
  for (const socket of [job, output]) socket.removeAllListeners("close").destroy();
};
const endAfter = (seconds, message) =>
  setTimeout(() => end(125, `${message} within ${seconds} s`), seconds * 1000);
let timer = endAfter(bootSeconds, "the simulated host was not ready");

const output = connect(`${folder}/output.sock`);
output.on("data", (chunk) => {
  if (process.stdout.write(chunk)) return;
  output.pause();
  process.stdout.once("drain", () => output.resume());
});
output.on("error", (error) => end(125, `${folder}: ${error.message}`));

const job = connect(`${folder}/job.sock`);
let said = "";
let asked = false;
job.setEncoding("utf8");
job.on("data", (chunk) => {
  said += chunk;
  if (said.startsWith("ready\n") && !asked) {
    asked = true;
    clearTimeout(timer);
    timer = endAfter(
      Number(jobSeconds) + reserveSeconds,
      "the simulated host said nothing of its job within",
    );
    writeFileSync(`${jobFile}.taken`, "");
    job.write(`${readFileSync(jobFile).toString("base64")}\n`);
  }
  const status = /^ready\n(\d+)\n/.exec(said)?.[1];
  // The two ports are not ordered: what was printed last may still be on its way.
  if (status !== undefined) setTimeout(() => end(Number(status)), 200);
});
job.on("error", (error) => end(125, `${folder}: ${error.message}`));
job.on("close", () => end(125, "the simulated host ended before the command did"));
