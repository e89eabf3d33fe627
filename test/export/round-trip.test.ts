import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../src/errors/index.ts";
import { exportDomain } from "../../src/export/index.ts";
import type { Host } from "../../src/host/index.ts";
import { importDomain } from "../../src/import/libvirt/index.ts";
import { type Plan, planVm } from "../../src/plan/index.ts";
import { type Profile, parseProfile, resolvePaths } from "../../src/profile/index.ts";
import { profileSchema } from "../../src/profile/schema.ts";
import { placesFor } from "../../src/vm/index.ts";
import { goldenHost } from "../golden/cases.ts";
import { anyProfile, soundBoardProfile, soundProfile } from "../plan/random-profiles.ts";
import { argvDifferences, plannedCases } from "./cases.ts";

function planOn(profile: Profile, host: Host): Plan | readonly Diagnostic[] {
  const places = placesFor("/run/qlaunch", profile.name);
  const result = planVm({ profile, host, ledger: [], places });
  return result.ok ? result.value : result.diagnostics;
}

/** What of the command line differs once the plan went through a domain, and what was told to be lost. */
async function there(profile: Profile, plan: Plan, host: Host) {
  const { lines, warnings } = exportDomain(profile, plan, host);
  const imported = importDomain(lines.join("\n"), { host });
  if (!imported.ok) throw new Error(JSON.stringify(imported.diagnostics));
  const back = await parseProfile(JSON.stringify(imported.profile), "back.json");
  if (!back.profile) throw new Error(JSON.stringify(back.diagnostics));
  const again = planOn(back.profile, host);
  if (!("options" in again)) throw new Error(JSON.stringify(again));
  const lost = warnings.filter(({ found }) => found.includes("neither")).map(({ found }) => found);
  const parts = lines.flatMap((line) => /<qlaunch:part path='([^']*)'/.exec(line)?.[1] ?? []);
  return { differences: argvDifferences(plan, again), lost, parts };
}

/** What goes by the metadata, by profile; everything else comes back by libvirt's own elements. */
const byMetadata: Readonly<Record<string, readonly string[]>> = {
  "awkward-paths": ["memory/backend", "memory/path"],
  demo: ["networks/*/user/restrict"],
  everything: ["sandbox/groups", "sandbox/openFiles"],
  "fixed-cpus": ["cpus/features/model-id"],
  "lab-hgx": ["standIns"],
  "lab-host": ["standIns"],
  networks: ["networks/*/user/forward", "networks/*/user/restrict", "networks/*/bridgeHelper"],
  nothing: ["sandbox/seccomp"],
  ovmf: ["pcie/mmio64"],
  "stand-ins": ["standIns"],
  // Import fills in what a domain leaves open, and these profiles leave it open.
  "auto-pinning": ["numa/cells/*/distances"],
  growth: ["numa/cells/*/hostNodes", "numa/cells/*/distances"],
  "huge-pages": ["numa/cells/*/distances"],
  "huge-pages-2m": ["numa/cells/*/distances"],
  "memory-devices": ["numa/cells/*/distances"],
  "node-pinning": ["numa/cells/*/distances"],
  "odd-cells": ["numa/cells/*/hostNodes"],
  passthrough: ["numa/cells/*/distances"],
};

const isOf = (pattern: string, path: string) =>
  new RegExp(`^${pattern.replaceAll("*", "[^/]+")}$`).test(path);

describe("a plan as a libvirt domain", () => {
  const used = new Set<string>();

  it.each(plannedCases)("$name comes back as the same plan", async ({ name, profile, host, plan }) => {
    const { differences, lost, parts } = await there(profile, plan, goldenHost(host));
    expect([differences, lost]).toEqual([[], []]);
    const key = name.replace(/@.*/, "");
    const others = parts.filter((path) => {
      const pattern = (byMetadata[key] ?? []).find((known) => isOf(known, path));
      if (pattern !== undefined) used.add(`${key} ${pattern}`);
      return pattern === undefined;
    });
    expect(others).toEqual([]);
  });

  it("needs the metadata for nothing else than is listed, and for all of that", () => {
    const listed = Object.entries(byMetadata).flatMap(([key, all]) => all.map((path) => `${key} ${path}`));
    expect([...used].sort()).toEqual(listed.sort());
  });

  it.each([
    { name: "sound profiles", profiles: soundProfile, host: "ol8" },
    { name: "sound profiles with devices of the host", profiles: soundBoardProfile, host: "hgx-h200" },
    { name: "any profiles", profiles: anyProfile, host: "laptop" },
  ])("$name of random come back, or it is told what does not", async ({ profiles, host }) => {
    const facts = goldenHost(host);
    await fc.assert(
      fc.asyncProperty(profiles, async (input) => {
        const reading = profileSchema.safeParse(input);
        if (!reading.success) return;
        const profile = resolvePaths(reading.data, "/vms");
        const plan = planOn(profile, facts);
        if (!("options" in plan)) return;
        const { differences, lost } = await there(profile, plan, facts);
        if (lost.length === 0) expect(differences).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
