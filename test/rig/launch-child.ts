import type { Event } from "../../src/events/event.ts";
import { realSystem } from "../../src/system/index.ts";
import { launchVm, stopVm } from "../../src/vm/index.ts";

/*
 * Starts or stops one VM in a process of its own, which a test can kill or run as another user. The request comes as JSON on
 * standard input; events and the outcome leave as one line of JSON each. With `diesAt`, such as "step-started start QEMU", it
 * kills itself at that event: a killer would come when a short step is over.
 */

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

const emit = (event: Event) => {
  say(event);
  if ("step" in event && `${event.type} ${event.step}` === request.diesAt)
    process.kill(process.pid, "SIGKILL");
};

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const request = JSON.parse(Buffer.concat(chunks).toString());
try {
  if (request.stop) say({ stopped: await stopVm(realSystem, request.stop, { force: true }) });
  else say({ launched: await launchVm(realSystem, { ...request, emit }) });
} catch (error) {
  const { diagnostics } = error as { diagnostics?: unknown };
  say({ failed: diagnostics ?? String(error) });
  process.exitCode = 1;
}
