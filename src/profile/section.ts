import type { Diagnostic } from "../errors/index.ts";
import { diagnoseAs } from "./diagnose.ts";
import { disk } from "./disks.ts";
import { network } from "./networks.ts";
import type { ProfileReading } from "./parse.ts";
import { identifier } from "./scalars.ts";
import type { Disk, Network } from "./schema.ts";

/** Whoever adds one to a running VM need not name it. */
const id = identifier.optional().meta({ description: "Default: a free one." });
const sections = { disk: disk.extend({ id }), network: network.extend({ id }) };

type Unnamed<Thing> = Omit<Thing, "id"> & { readonly id?: string | undefined };

export interface SectionReading<Value> extends Omit<ProfileReading, "profile"> {
  readonly value?: Value;
}

/** One disk or network as profiles have them. @param file the name to show in places: "--disk" */
export function parseSection(kind: "disk", text: string, file: string): SectionReading<Unnamed<Disk>>;
export function parseSection(kind: "network", text: string, file: string): SectionReading<Unnamed<Network>>;
export function parseSection(
  kind: "disk" | "network",
  text: string,
  file: string,
): SectionReading<Unnamed<Disk> | Unnamed<Network>> {
  const reading = diagnoseAs(sections[kind], text, file);
  const words = (diagnostics: readonly Diagnostic[]) =>
    diagnostics.map((diagnostic) => ({
      ...diagnostic,
      found: diagnostic.found.replace("the profile", `the ${kind}`),
      needed: diagnostic.needed.replace("the profile", `the ${kind}`),
      fix: diagnostic.fix.replace("the profile", `the ${kind}`),
    }));
  return {
    ...reading,
    diagnostics: words(reading.diagnostics),
    locate: async (diagnostics) => words(await reading.locate(diagnostics)),
  };
}
