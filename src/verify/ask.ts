import type { Duplex } from "node:stream";
import { type QlaunchError, refusal } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import type { Plan } from "../plan/types.ts";
import type { System } from "../system/index.ts";
import { type FoundVm, requireRunning, withConsole } from "../vm/index.ts";
import { type ProbeReport, parseReport, probePort } from "./report.ts";

/** What a report of a thousand devices would not reach. */
const longestAnswer = 8 * 2 ** 20;
const waitingIntervalMs = 1000;

export interface AskOptions {
  readonly timeoutMs: number;
  readonly emit: EventSink;
}

/**
 * Asks a running guest what it sees; waits until it has booted.
 * @throws QlaunchError VERIFY_NO_PROBE, VM_BUSY, VM_STALE, VM_STATE, QMP_DISCONNECTED
 */
export async function askProbe(
  system: System,
  found: FoundVm,
  plan: Plan,
  { timeoutMs, emit }: AskOptions,
): Promise<ProbeReport> {
  requireRunning(system, found);
  const { name } = found;
  const channel = plan.run.consoles.find((end) => end.type === "channel" && end.name === probePort);
  if (channel === undefined) throw noChannel(name);
  const began = system.clock.elapsedMs();
  const timer = setInterval(() => {
    const elapsedMs = system.clock.elapsedMs() - began;
    emit({ type: "waiting", step: "ask the guest", elapsedMs, reason: "it boots and answers" });
  }, waitingIntervalMs);
  try {
    const answer = await withConsole(system, found, channel, (socket) => requestReport(socket, timeoutMs));
    if (typeof answer === "string") throw noAnswer(name, answer);
    return answer;
  } finally {
    clearInterval(timer);
  }
}

/** @returns the report, or why there is none */
export function requestReport(socket: Duplex, timeoutMs: number): Promise<ProbeReport | string> {
  return new Promise((resolve) => {
    let text = "";
    const finish = (answer: ProbeReport | string) => {
      clearTimeout(timer);
      socket.removeAllListeners().on("error", () => {});
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(
      () => finish(`did not answer within ${Math.round(timeoutMs / 1000)} s`),
      timeoutMs,
    );
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      // What an earlier question left may come first.
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        const report = parseReport(line);
        if (report !== undefined) return finish(report);
      }
      if (text.length > longestAnswer) finish("answers without end");
    });
    for (const end of ["error", "end", "close"]) {
      socket.on(end, () => finish("closed the channel before it answered"));
    }
    // QEMU keeps the line until the guest opens the port, so it may be written before the guest is up.
    socket.write("report\n");
  });
}

function noChannel(name: string): QlaunchError {
  return refusal("VERIFY_NO_PROBE", {
    found: `${name} has no channel ${probePort}`,
    needed: "a guest with the probe's programs, and the channel that they answer on",
    fix: `add { "type": "channel", "name": "${probePort}" } to consoles and boot the probe guest, as profiles/demo.json does`,
  });
}

function noAnswer(name: string, what: string): QlaunchError {
  return refusal("VERIFY_NO_PROBE", {
    found: `the guest of ${name} ${what}`,
    needed: "a guest that has booted and runs the probe's programs",
    fix: `look how far it is: qlaunch logs ${name} --source console; or give it more time with --timeout`,
  });
}
