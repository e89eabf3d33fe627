import { writeSnapshot } from "../src/host/elsewhere.ts";
import { formatJson } from "../src/host/format-json.ts";
import { discoverHost } from "../src/host/index.ts";
import { realSystem } from "../src/system/index.ts";

/** The text of this machine's snapshot, or of what its QEMU can do. */
export async function recordHost(options: { qemu?: string; onlyQemu: boolean }): Promise<string> {
  const host = await discoverHost(realSystem, { qemu: options.qemu, need: { kvm: true, qemu: "required" } });
  return options.onlyQemu ? `${formatJson(host.qemu)}\n` : writeSnapshot(host);
}
