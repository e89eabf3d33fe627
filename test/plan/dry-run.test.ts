import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { filesFromGrep } from "../../scripts/host-from-text.ts";
import { planArgv } from "../../src/actions/format-plan.ts";
import { takeSnapshot } from "../../src/actions/host.ts";
import { snapshotText, takeSnapshotElsewhere } from "../../src/actions/host-elsewhere.ts";
import { type PlanRequest, planProfile } from "../../src/actions/plan.ts";
import { checkProfile } from "../../src/actions/start.ts";
import { QlaunchError } from "../../src/errors/index.ts";
import type { System } from "../../src/system/index.ts";
import { fakeSystem } from "../rig/fake-system.ts";

/*
 * A system in memory whose every write, spawn, signal, lock and connection throws DryRunViolation, which no code may
 * swallow: what runs through here changed nothing.
 */
const text = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const folders = ["../profiles", "golden/profiles"];
const profiles = folders.flatMap((folder) =>
  readdirSync(new URL(`../${folder}/`, import.meta.url))
    .filter((name) => name.endsWith(".json") && !name.endsWith(".schema.json"))
    .map((name) => `${folder}/${name}`),
);

function systemWith(profile: string): System {
  const environment = { XDG_RUNTIME_DIR: "/run/user/1000", PATH: "/usr/bin" };
  return fakeSystem(
    {
      ...filesFromGrep(text("hosts/sources/laptop.sysfs.txt")),
      "/dev/kvm": { facts: { kind: "character", mode: 0o666 } },
      "/usr/bin/qemu-system-x86_64": { facts: { mode: 0o755 } },
      "/usr/bin/flock": { facts: { mode: 0o755 } },
      "/usr/bin/taskset": { facts: { mode: 0o755 } },
      "/vms/profile.json": text(profile),
      "/vms/ol8.json": text("hosts/ol8.json"),
    },
    { environment },
  );
}

/** The outcome, or the refusal: both are fine here, a DryRunViolation is not. */
async function outcome<Value>(work: Promise<Value>): Promise<Value | QlaunchError> {
  return work.catch((error: unknown) => {
    if (error instanceof QlaunchError) return error;
    throw error;
  });
}

describe.each([
  ["on a snapshot", "/vms/ol8.json"],
  ["on this machine", undefined],
])("%s", (_, snapshot) => {
  const request: PlanRequest = { profileFile: "/vms/profile.json", snapshot, mayStart: false };

  it.each(profiles)("planning %s changes nothing", async (profile) => {
    const planned = await outcome(planProfile(systemWith(profile), request));
    if (!(planned instanceof QlaunchError)) expect(planArgv(planned.plan).length).toBeGreaterThan(10);
  });

  it.each(profiles)("checking %s changes nothing", async (profile) => {
    const checked = await outcome(checkProfile(systemWith(profile), request));
    if (!(checked instanceof QlaunchError)) expect(Array.isArray(checked.diagnostics)).toBe(true);
  });
});

it("plans the four-socket guest to the end, and the same bytes each time", async () => {
  const request: PlanRequest = {
    profileFile: "/vms/profile.json",
    snapshot: "/vms/ol8.json",
    mayStart: false,
  };
  const once = async () =>
    planArgv((await planProfile(systemWith("../profiles/ol8-vnuma.json"), request)).plan);
  const argv = await once();
  expect(argv).toContain(
    "virtio-net-pci,id=net0,bus=rp-net,addr=0x0,netdev=net0-netdev,mac=52:54:00:0f:fb:22",
  );
  expect(await once()).toEqual(argv);
});

it("shows the host of a snapshot, and nothing of this machine", async () => {
  const file = "/vms/hgx.json";
  const system = fakeSystem({ [file]: text("hosts/hgx-h200.json") });
  expect(snapshotText(await takeSnapshot(system, { snapshot: file }))).toBe(text("hosts/hgx-h200.json"));
});

it("makes a snapshot of a machine in a folder, and refuses a folder with too little", async () => {
  const here = filesFromGrep(text("hosts/sources/laptop.sysfs.txt"));
  const there = filesFromGrep(text("hosts/sources/sparse.sysfs.txt"));
  const below = Object.entries(there).map(([path, file]) => [`/gathered${path}`, file]);
  const system = fakeSystem({ ...here, ...Object.fromEntries(below) });
  const { host } = await takeSnapshotElsewhere(system, { folder: "/gathered" }, {});
  expect([host.cpus.length, host.nodes.length, host.pci, host.qemu]).toEqual([24, 4, [], undefined]);
  const refused = await outcome(takeSnapshotElsewhere(system, { folder: "/gathered/proc" }, {}));
  if (!(refused instanceof QlaunchError)) throw new Error("nothing was refused");
  expect(refused.diagnostics).toMatchObject([
    { code: "HOST_SNAPSHOT", found: "/gathered/proc is no gathered machine" },
  ]);
});

it("refuses a file of lstopo that cannot be read or is none", async () => {
  const system = fakeSystem({ "/vms/profile.json": "{}" });
  const codes = async (lstopo: string) => {
    const refused = await outcome(takeSnapshotElsewhere(system, { lstopo }, {}));
    return refused instanceof QlaunchError
      ? refused.diagnostics.map(({ code, found }) => `${code} ${found}`)
      : [];
  };
  expect(await codes("/absent.xml")).toEqual(["HOST_SNAPSHOT /absent.xml cannot be read (ENOENT)"]);
  expect(await codes("/vms/profile.json")).toEqual(["HOST_SNAPSHOT no XML that lstopo writes: line 1: text"]);
});

it("checks a guest that fits this machine to the end", async () => {
  const request: PlanRequest = { profileFile: "/vms/profile.json", mayStart: false };
  const { planned, diagnostics } = await checkProfile(systemWith("golden/profiles/nothing.json"), request);
  expect(planned.plan.name).toBe("nothing");
  expect(diagnostics.filter((diagnostic) => diagnostic.severity === "error")).toEqual([]);
});
