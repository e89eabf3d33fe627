import type { System } from "../system/index.ts";
import type { FirmwareImage } from "./topology.ts";

/** Where firmware is described. A file in the administrator's folder replaces the distribution's of the same name. */
const folders = ["/usr/share/qemu/firmware", "/etc/qemu/firmware"];

/**
 * UEFI images for a q35 machine, by preference: the files' names order them, whatever folder they are in. An empty
 * file takes an image away.
 * @see https://www.qemu.org/docs/master/interop/firmware.html
 */
export function readFirmware(files: System["files"]): FirmwareImage[] {
  const paths = new Map<string, string>();
  for (const folder of folders) {
    for (const name of files.list(folder) ?? []) {
      if (name.endsWith(".json")) paths.set(name, `${folder}/${name}`);
    }
  }
  return [...paths.keys()].sort().flatMap((name) => describe(files.tryReadText(paths.get(name) ?? "")) ?? []);
}

interface Description {
  readonly mapping?: {
    readonly device?: string;
    readonly executable?: { readonly filename?: string; readonly format?: string };
    readonly "nvram-template"?: { readonly filename?: string };
  };
  readonly targets?: readonly { readonly architecture?: string; readonly machines?: readonly string[] }[];
  readonly features?: readonly string[];
}

function describe(text: string | undefined): FirmwareImage | undefined {
  if (text === undefined) return undefined;
  let description: Description;
  try {
    description = JSON.parse(text) as Description;
  } catch {
    return undefined;
  }
  const { mapping, targets = [], features = [] } = description;
  const fits = targets.some(
    ({ architecture, machines = [] }) =>
      architecture === "x86_64" && machines.some((machine) => machine.startsWith("pc-q35")),
  );
  const code = mapping?.executable?.filename;
  const vars = mapping?.["nvram-template"]?.filename;
  const isRaw = (mapping?.executable?.format ?? "raw") === "raw";
  if (!fits || mapping?.device !== "flash" || !isRaw || code === undefined || vars === undefined)
    return undefined;
  return { code, vars, secureBoot: features.includes("secure-boot") };
}
