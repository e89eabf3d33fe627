import { type Diagnostic, refusal } from "../errors/index.ts";
import type { AnnotatedDevice, Profile } from "../profile/index.ts";
import { type System, SystemError } from "../system/index.ts";

/** The devices of the CDI files that a profile names, and all that is wrong with these, each at its place. */
export async function readCdiFiles(
  system: System,
  { passthrough }: Profile,
): Promise<{ devices: readonly AnnotatedDevice[]; problems: readonly Diagnostic[] }> {
  if (passthrough.cdi.length === 0) return { devices: [], problems: [] };
  const { parseCdi } = await import("../import/cdi.ts");
  const readings = passthrough.cdi.map((file, index) => {
    const path = ["passthrough", "cdi", index];
    const text = readText(system, file, path);
    return typeof text === "string" ? parseCdi(text, file, path) : { devices: [], diagnostics: text };
  });
  return {
    devices: readings.flatMap(({ devices }) => devices),
    problems: readings.flatMap(({ diagnostics }) => diagnostics),
  };
}

function readText({ files }: System, file: string, path: Diagnostic["path"]): string | Diagnostic[] {
  try {
    return files.readText(file);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const { diagnostics } = refusal("CDI_UNREADABLE", {
      found: error.code === "ENOENT" ? `${file} does not exist` : `${file} cannot be read (${error.code})`,
      needed: "a CDI specification, as YAML or JSON",
      fix: "write the path of the file, absolute or counted from the profile's folder; /etc/cdi and /var/run/cdi have those of this host",
    });
    return diagnostics.map((diagnostic) => ({ ...diagnostic, path }));
  }
}
