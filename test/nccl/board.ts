import { readFileSync } from "node:fs";
import { ncclDevices, predictNccl, topoFile } from "../../src/nccl/index.ts";
import { plan, recordedHost } from "../plan/planning.ts";

type Changes = Readonly<Record<string, unknown>>;

/** A shipped profile with these changes, planned on the recorded host of its name. */
export function predicted(name: string, changes: Changes = {}) {
  const file = new URL(`../../profiles/${name}.json`, import.meta.url);
  const host = recordedHost(name);
  const planned = plan({ ...JSON.parse(readFileSync(file, "utf8")), ...changes }, { host });
  const devices = ncclDevices(planned, host);
  return { planned, devices, prediction: predictNccl(devices), file: topoFile(devices, planned) };
}
