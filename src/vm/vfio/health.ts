import { type Diagnostic, refusal } from "../../errors/index.ts";
import type { PassedFunction } from "../../plan/types.ts";
import type { Files } from "../../system/index.ts";
import { answers, functionFolder, pciBus, readIds } from "./pci-function.ts";

/** What is known of a function that is to be somebody's. */
export type ExpectedFunction = Pick<PassedFunction, "address" | "vendor" | "device" | "profilePath">;

/** Functions that are gone, have become others, or do not answer. */
export function checkFunctions(files: Files, functions: readonly ExpectedFunction[]): Diagnostic[] {
  return functions.flatMap(({ address, vendor, device, profilePath }) => {
    const ids = readIds(files, address);
    const error =
      ids === undefined
        ? absent(address)
        : ids !== `${vendor}:${device}`
          ? exchanged(address, ids, `${vendor}:${device}`)
          : answers(files, address)
            ? undefined
            : dead(address);
    return (error?.diagnostics ?? []).map((problem) => ({ ...problem, path: profilePath }));
  });
}

export function absent(address: string) {
  return refusal("HOST_DEVICE_ABSENT", {
    found: `there is no PCI function ${address}`,
    needed: "a function of this host",
    fix: "qlaunch vfio list shows them",
  });
}

function exchanged(address: string, ids: string, planned: string) {
  return refusal("HOST_DEVICE_ABSENT", {
    found: `${address} is ${ids}, and the plan is for ${planned}`,
    needed: "the device that was planned for",
    fix: "plan again; qlaunch vfio list shows what is where",
  });
}

export function dead(address: string) {
  return refusal("HOST_DEVICE_DEAD", {
    found: `${address} does not answer: its configuration space reads as ones`,
    needed: "a device that answers",
    fix: `take it off the bus and look for it anew: echo 1 > ${functionFolder(address)}/remove; echo 1 > ${pciBus}/rescan; when that does not help, switch the host off and on`,
  });
}
