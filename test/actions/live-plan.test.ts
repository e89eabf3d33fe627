import { expect, it } from "vitest";
import { keptProfile } from "../../src/actions/live-plan.ts";
import { type Profile, parseProfile } from "../../src/profile/index.ts";
import { keepProfile } from "../../src/profile/kept.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const text = JSON.stringify({
  version: 1,
  name: "vm",
  cpus: { boot: 1 },
  memory: { size: "256M", backend: "file", path: "pages" },
  disks: [{ id: "root", file: "../images/root.raw", format: "raw" }],
});
const read = async () => (await parseProfile(text, "vm.json")).profile as Profile;
const machine = (kept?: string) =>
  fakeSystem(
    {
      "/run/vm/profile.json": text,
      ...(kept === undefined ? {} : { "/run/vm/profile.kept.json": kept }),
    },
    { environment: { QLAUNCH_RUN_DIR: "/run" } },
  );

it("the paths of a profile that is read again count from where it was", async () => {
  const profile = await keptProfile(machine(keepProfile(await read(), "/vms/gpu", "another")), "vm");
  expect([profile.memory.path, profile.disks[0]?.file]).toEqual(["/vms/gpu/pages", "/vms/images/root.raw"]);
});

it("a profile of a program that kept nothing beside it is taken as it is", async () => {
  expect(await keptProfile(machine(), "vm")).toEqual(await read());
  expect(await keptProfile(machine("{"), "vm")).toEqual(await read());
});
