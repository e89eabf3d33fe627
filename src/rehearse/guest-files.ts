import { fileURLToPath } from "node:url";
import type { System } from "../system/index.ts";
import type { CpioEntry } from "./cpio.ts";

/** "lab/init" to its text, as JSON: put in by the build of the program, which may be one file. */
declare const QLAUNCH_GUESTS: string | undefined;

/** The programs of the two guests, where this is a file of the library or of a checkout. */
const folder = new URL("./guest/", import.meta.url);

/** Where each program goes, by the guest's name. */
const targets = {
  lab: { init: "init", main: "main" },
  probe: {
    init: "init",
    agent: "bin/agent",
    coldplug: "bin/coldplug",
    report: "bin/report",
    serve: "bin/serve",
    "power-button": "etc/acpi/PWRF/00000080",
  },
} as const;

/** The programs of a guest, at their places in its file system. */
export function guestPrograms({ files }: System, guest: keyof typeof targets): CpioEntry[] {
  const read = (path: string): Buffer => {
    if (typeof QLAUNCH_GUESTS === "string") {
      return Buffer.from((JSON.parse(QLAUNCH_GUESTS) as Record<string, string>)[path] ?? "");
    }
    return files.readFrom(fileURLToPath(new URL(path, folder)), 0);
  };
  return Object.entries(targets[guest]).map(([name, path]) => ({
    ...{ path, kind: "file", mode: 0o755 },
    content: read(`${guest}/${name}`),
  }));
}
