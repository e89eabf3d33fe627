import { fileURLToPath } from "node:url";
import type { System } from "../system/index.ts";
import type { CpioEntry } from "./cpio.ts";

/** The programs of the two guests; the build puts them beside its own files. */
const folder = fileURLToPath(new URL("./guest/", import.meta.url));

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
  return Object.entries(targets[guest]).map(([name, path]) => ({
    ...{ path, kind: "file", mode: 0o755 },
    content: files.readFrom(`${folder}${guest}/${name}`, 0),
  }));
}
