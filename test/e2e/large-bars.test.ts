import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guestAddresses } from "../../src/plan/guest-addresses.ts";
import type { Plan } from "../../src/plan/index.ts";
import { realSystem } from "../../src/system/index.ts";
import { findVm, readPlan, type VmDetail } from "../../src/vm/index.ts";
import { type Cli, openCli } from "../rig/cli.ts";
import { changedProfile } from "../rig/live.ts";
import { bootProbe, type ProbeReport } from "../rig/probe.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const profile = new URL("profiles/large-bars.json", import.meta.url).pathname;
const { pcie: tree } = JSON.parse(readFileSync(profile, "utf8"));
const name = "large-bars";

/** OVMF and the guest's kernel are the judges: they have 40 address bits, and by themselves a window of 128 GiB. */
describe.each(qemuPrograms)("a BAR of 128 GiB on %s", (qemu) => {
  let cli: Cli;
  beforeAll(() => {
    cli = openCli(qemu);
  });
  afterAll(() => cli.close());

  const boot = async (changes: object) => {
    const guest = await bootProbe(cli, changedProfile(cli, profile, changes), name);
    const environment = { ...process.env, QLAUNCH_RUN_DIR: cli.root };
    const system = { ...realSystem, user: { ...realSystem.user, environment } };
    const plan = readPlan(system, findVm(system, name));
    const info: VmDetail = JSON.parse(await cli.ok("info", name, "--json"));
    const verify = await cli.run("verify", name, "--json");
    await cli.ok("down", name, "--force");
    return { bars: barsOf(plan, guest), info, verify: JSON.parse(verify.stdout) };
  };

  it("gets its address in the window that is computed, beside more ports than the I/O space has room for", {
    timeout: 180_000,
  }, async () => {
    const { bars, info, verify } = await boot({});
    // 128 GiB into the window, which begins at 256 GiB: where the planner put it as well.
    expect(bars.get("large0")?.get(2)).toEqual({ start: 384 * gibibyte, bytes: 128 * gibibyte });
    expect(bars.get("small0")?.get(2)?.bytes).toBe(gibibyte);
    expect(bars.get("gpu0")?.get(0)?.bytes).toBe(16 * 2 ** 20);
    // Its port alone has I/O space.
    expect(bars.get("nic0")?.get(2)?.bytes).toBe(32);
    expect(info.pciTree).toEqual({ numbered: true, deadBridges: [], unmappedBars: [], problems: [] });
    expect(verify).toMatchObject({ same: true });
  });

  it("gets none in a window as the firmware has it by itself, and that is told", {
    timeout: 180_000,
  }, async () => {
    const pcie = { ...tree, mmio64: "32G" };
    const { bars, info, verify } = await boot({ pcie });
    expect(bars.get("large0")?.get(2)).toBeUndefined();
    expect(info.pciTree?.unmappedBars).toContainEqual({
      device: "large0",
      bar: 2,
      sizeBytes: 128 * gibibyte,
    });
    expect(verify).toMatchObject({ same: false });
  });
});

const gibibyte = 2 ** 30;

/** The BARs of each planned device that have an address in the guest, by index. */
function barsOf(plan: Plan, { pci }: ProbeReport) {
  const ids = new Map([...guestAddresses(plan)].map(([id, address]) => [address, id]));
  return new Map(
    pci.map(({ address, resources }) => [
      ids.get(address),
      new Map(
        resources
          .filter(({ start }) => Number(start) > 0)
          .map(({ index, start, end }) => [
            index,
            { start: Number(start), bytes: Number(end) - Number(start) + 1 },
          ]),
      ),
    ]),
  );
}
