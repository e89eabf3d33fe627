import { readdirSync, readFileSync } from "node:fs";
import { type Diagnostic, formatJsonPath, type Result } from "../../src/errors/index.ts";
import type { Host } from "../../src/host/index.ts";
import { type Plan, planVm } from "../../src/plan/index.ts";
import { type Profile, parseProfile, resolvePaths } from "../../src/profile/index.ts";
import { placesFor } from "../../src/vm/index.ts";
import { recordedHost } from "../plan/planning.ts";

/** A profile of the goldens, and every host that it is planned on. */
export interface GoldenProfile {
  readonly name: string;
  readonly profile: Profile;
  /** Recorded hosts: those whose devices are known for a profile that passes some through. */
  readonly hosts: readonly string[];
}

const everyHost = ["ol8", "anuma", "laptop", "sparse"];
const hostsWithDevices = ["hgx-h200", "a100x-dpu"];

const here = new URL(".", import.meta.url);
const folders = [new URL("../../profiles/", here), new URL("profiles/", here)];

/** The shipped profiles and those made for the goldens. Their relative paths count from /vms. */
export const goldenProfiles: readonly GoldenProfile[] = await Promise.all(
  folders
    .flatMap((folder) => readdirSync(folder).map((file) => new URL(file, folder)))
    .filter(({ pathname }) => pathname.endsWith(".json") && !pathname.endsWith(".schema.json"))
    .map(readProfile),
);

async function readProfile(file: URL): Promise<GoldenProfile> {
  const name = file.pathname.slice(file.pathname.lastIndexOf("/") + 1, -".json".length);
  const { profile, diagnostics } = await parseProfile(readFileSync(file, "utf8"), file.pathname);
  if (!profile || diagnostics.length > 0) throw new Error(`${name}: ${JSON.stringify(diagnostics)}`);
  const hosts = profile.passthrough.devices.length > 0 ? hostsWithDevices : everyHost;
  return { name, profile: resolvePaths(profile, "/vms"), hosts };
}

export function planGolden(profile: Profile, host: string): Result<Plan> {
  return planVm({
    profile,
    host: goldenHost(host),
    ledger: [],
    places: placesFor("/run/qlaunch", profile.name),
  });
}

/** With firmware in the places where Debian has it: the recorded hosts say nothing of it. */
export function goldenHost(name: string): Host {
  const image = (secureBoot: boolean) => ({
    code: `/usr/share/OVMF/OVMF_CODE_4M${secureBoot ? ".secboot" : ""}.fd`,
    vars: `/usr/share/OVMF/OVMF_VARS_4M${secureBoot ? ".ms" : ""}.fd`,
    secureBoot,
  });
  return { ...recordedHost(name), firmware: [image(false), image(true)] };
}

/** "CODE path", one a problem. */
export function refusalLines(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .filter((diagnostic) => diagnostic.severity === "error")
    .map((diagnostic) => `${diagnostic.code} ${formatJsonPath(diagnostic.path)}\n`)
    .join("");
}
