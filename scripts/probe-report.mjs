#!/usr/bin/env node
// Asks the probe guest what it sees: writes "report" to the socket of its virtio-serial port and prints the answer, one
// line of JSON. Usage: scripts/probe-report.mjs SOCKET [REQUEST] [--timeout SECONDS]
// Requests: report (default), online, poweroff, "run COMMAND" (see src/rehearse/guest/probe/serve).
import { connect } from "node:net";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { timeout: { type: "string", default: "180" } },
});
const [path, request = "report"] = positionals;
const timeoutSeconds = Number(values.timeout);
if (path === undefined || !(timeoutSeconds > 0)) {
  process.stderr.write("usage: scripts/probe-report.mjs SOCKET [REQUEST] [--timeout SECONDS]\n");
  process.exit(2);
}

let answer = "";
const socket = connect(path);
const give = (text) => {
  process.stderr.write(`${text}\n`);
  process.exit(1);
};
const timer = setTimeout(
  () => give(`the guest did not answer "${request}" on ${path} within ${timeoutSeconds} s`),
  timeoutSeconds * 1000,
);

socket.setEncoding("utf8");
// QEMU keeps the line until the guest opens the port, so it may be written before the guest is up.
socket.on("connect", () => socket.write(`${request}\n`));
socket.on("error", (error) => give(`${path}: ${error.message}`));
socket.on("close", () => give(`${path}: closed before the answer was complete`));
socket.on("data", (chunk) => {
  answer += chunk;
  const end = answer.indexOf("\n");
  if (end === -1) return;
  clearTimeout(timer);
  socket.removeAllListeners("close").destroy();
  process.stdout.write(`${JSON.stringify(JSON.parse(answer.slice(0, end)))}\n`);
});
