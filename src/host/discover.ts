import type { System } from "../system/index.ts";
import { readCpus, readOnlineCpus } from "./cpus.ts";
import { readNodes } from "./nodes.ts";
import { readProcessor } from "./processor.ts";
import type { Host } from "./topology.ts";

/** Reads the host that this program runs on. */
export async function discoverHost(system: System): Promise<Host> {
  const { files } = system;
  const nodes = readNodes(files, readOnlineCpus(files));
  return {
    version: 1,
    processor: readProcessor(files).processor,
    cpus: readCpus(files, nodes),
    nodes,
    kvm: { usable: false, reason: "not looked at" },
  };
}
