import { readFileSync } from "node:fs";
import { renderArgv } from "../../src/argv/index.ts";
import { formatJsonPath } from "../../src/errors/index.ts";
import type { Host } from "../../src/host/index.ts";
import { importDomain, type ReportLine } from "../../src/import/libvirt/index.ts";
import { type Plan, planVm } from "../../src/plan/index.ts";
import { parseProfile } from "../../src/profile/index.ts";
import { places, recordedHost } from "../plan/planning.ts";
import type { PrivateLibvirt } from "./private-libvirt.ts";

const folder = new URL("domains/", import.meta.url).pathname;

export interface Pair {
  readonly dumped: string;
  readonly libvirt: readonly string[];
  readonly ours: readonly string[];
  readonly plan: Plan;
  readonly report: readonly ReportLine[];
}

/** A host with devices to pass through, and with huge pages. */
function host(): Host {
  const recorded = recordedHost("hgx-h200");
  const withPages = (pool: Host["nodes"][number]["hugepages"][number]) => ({
    ...pool,
    total: 4096,
    free: 4096,
  });
  return {
    ...recorded,
    nodes: recorded.nodes.map((node) => ({ ...node, hugepages: node.hugepages.map(withPages) })),
  };
}

/** A domain as libvirt starts it, and as qlaunch does what it imports. */
export async function pairOf(
  libvirt: PrivateLibvirt,
  name: string,
  change: (text: string) => string = (text) => text,
): Promise<Pair> {
  const { dumped, argv } = await libvirt.native(change(readFileSync(`${folder}${name}.xml`, "utf8")));
  const { plan, report } = await planOf(dumped);
  return { dumped, libvirt: argv, ours: renderArgv(plan), plan, report };
}

async function planOf(text: string): Promise<{ plan: Plan; report: readonly ReportLine[] }> {
  const imported = importDomain(text, { host: host() });
  if (!imported.ok) throw new Error(JSON.stringify(imported.diagnostics));
  const { profile, diagnostics } = await parseProfile(JSON.stringify(imported.profile), "profile.json");
  if (!profile) throw new Error(JSON.stringify(diagnostics));
  const planned = planVm({ profile, host: host(), ledger: [], places });
  if (!planned.ok) {
    throw new Error(
      planned.diagnostics.map(({ path, found }) => `${formatJsonPath(path)}: ${found}`).join("\n"),
    );
  }
  return { plan: planned.value, report: imported.report };
}
