import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { OperationRequest } from "../../src/hotplug/operation.ts";

export const request: OperationRequest = {
  kind: "setvcpus",
  subject: "4 to 8 vCPUs",
  request: { add: [4, 5], remove: [] },
};

/** A folder as a VM's run directory is; it goes when the test ends. */
export function runDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "qlaunch-operations-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}
