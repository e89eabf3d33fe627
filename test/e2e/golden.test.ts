import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Plan } from "../../src/plan/index.ts";
import { connectQmp, type QmpClient } from "../../src/qmp/index.ts";
import { goldenProfiles } from "../golden/cases.ts";
import { makeFiles, replacements, startableArgv, startablePlan } from "../golden/startable.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

interface StartableCase {
  readonly name: string;
  readonly folder: string;
  readonly plan: Plan;
}

/** Every golden that fits, without those that are the same once they are small. */
function startableCases(root: string): StartableCase[] {
  const cases = new Map<string, StartableCase>();
  for (const { name, profile, hosts } of goldenProfiles) {
    for (const host of hosts) {
      const folder = join(root, String(cases.size));
      const plan = startablePlan(profile, host, folder);
      if (!plan) continue;
      const text = startableArgv(plan).join("\n").replaceAll(folder, "");
      if (!cases.has(text)) cases.set(text, { name: `${name}@${host}`, folder, plan });
    }
  }
  return [...cases.values()];
}

/** What a branch of a command's union may have, by query-qmp-schema. */
async function schemaMembers(client: QmpClient, command: string, branch: string): Promise<string[]> {
  const schema = (await client.execute("query-qmp-schema")) as unknown as readonly SchemaEntry[];
  const named = (name: string | undefined) => schema.find((entry) => entry.name === name);
  const variants = named(named(command)?.["arg-type"])?.variants ?? [];
  const members = named(variants.find((variant) => variant.case === branch)?.type)?.members ?? [];
  return members.map((member) => member.name);
}

interface SchemaEntry {
  readonly name: string;
  readonly "arg-type"?: string;
  readonly variants?: readonly { readonly case: string; readonly type: string }[];
  readonly members?: readonly { readonly name: string }[];
}

/** Starts QEMU over an inherited socket pair, asks what is asked, and quits. @throws with QEMU's own words */
async function withQemu<Answer>(
  qemu: string,
  argv: readonly string[],
  ask: (client: QmpClient) => Promise<Answer>,
): Promise<Answer> {
  const child = spawn(qemu, argv, { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  let words = "";
  child.stderr?.on("data", (chunk) => {
    words += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  try {
    const client = await connectQmp(child.stdio[3] as Duplex);
    await client.ready;
    const answer = await ask(client);
    await client.execute("quit");
    await ended;
    expect(child.exitCode).toBe(0);
    return answer;
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw new Error(`${qemu} said: ${words || "(nothing)"}`, { cause: error });
  }
}

describe.each(qemuPrograms)("%s", (qemu) => {
  const root = mkdtempSync(join(tmpdir(), "qlaunch-golden-"));
  const cases = startableCases(root);
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.concurrent.each(cases)("starts $name", async ({ plan, folder }) => {
    makeFiles(plan, (path) => execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", path, "1M"]));
    const cpus = await withQemu(qemu, startableArgv(plan), (client) => client.execute("query-cpus-fast"));
    const boot = plan.placement.vcpus.filter((vcpu) => vcpu.boot).map((vcpu) => vcpu.id);
    expect(cpus.map((cpu) => cpu["cpu-index"]).sort((a, b) => a - b)).toEqual(boot);
    rmSync(folder, { recursive: true, force: true });
  });

  describe("what the starts leave out", () => {
    let client: QmpClient;
    let end: () => Promise<void>;
    beforeAll(async () => {
      const stopped = new Promise<void>((resolve) => {
        end = async () => resolve();
      });
      const bare = ["-machine", "none", "-nodefaults", "-display", "none", "-S"];
      const launch = ["-chardev", "socket,id=launch,fd=3", "-qmp", "chardev:launch"];
      await new Promise<void>((resolve, reject) => {
        withQemu(qemu, [...bare, ...launch], (connected) => {
          client = connected;
          resolve();
          return stopped;
        }).catch(reject);
      });
    });
    afterAll(() => end());

    for (const [name, { reason, device, schema }] of Object.entries(replacements)) {
      if (device) {
        it(`${name} (${reason}) has its properties`, async () => {
          const known = await client.execute("device-list-properties", { typename: device.driver });
          const names = known.map((property) => property.name);
          expect(device.properties.filter((property) => !names.includes(property))).toEqual([]);
        });
      }
      if (schema) {
        it(`${name} (${reason}) has its members`, async () => {
          const members = await schemaMembers(client, schema.command, schema.branch);
          expect(schema.properties.filter((property) => !members.includes(property))).toEqual([]);
        });
      }
    }
  });
});
