import { spawn } from "node:child_process";

/** Milliseconds from exec to the vCPUs' answer; QEMU ends after. Nothing but QEMU and one line of JSON at a time. */
export async function bareStart(qemu, argv) {
  const started = performance.now();
  const child = spawn(qemu, argv, { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const monitor = child.stdio[3];
  const replies = lines(monitor);
  monitor.on("error", () => {});
  const ask = async (execute) => {
    monitor.write(`${JSON.stringify({ execute, id: execute })}\n`);
    for (;;) {
      const { value, done } = await replies.next();
      if (done) throw new Error(`QEMU ended before it answered ${execute}`);
      if (JSON.parse(value).id === execute) return;
    }
  };
  await replies.next();
  await ask("qmp_capabilities");
  await ask("query-cpus-fast");
  const spent = performance.now() - started;
  monitor.write('{"execute": "quit"}\n');
  await ended;
  return spent;
}

async function* lines(stream) {
  let rest = "";
  for await (const chunk of stream) {
    rest += chunk;
    const parts = rest.split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
