import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { planArgv } from "../../src/actions/format-plan.ts";
import { planProfile } from "../../src/actions/plan.ts";
import { QlaunchError } from "../../src/errors/index.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const snapshot = readFileSync(new URL("../hosts/a100x-dpu.json", import.meta.url), "utf8");
const gpus = `cdiVersion: 0.4.0
kind: nvidia.com/gpu
devices:
- name: gpu0
  annotations:
    bdf: "41:00.0"
    clique-id: "0"
- name: gpu1
  annotations:
    bdf: "de:00.0"
    clique-id: "1"
`;

/** Plans a profile with these CDI files on the host of the two cards. */
function planWith(cdi: readonly string[], files: Readonly<Record<string, string>>, more: object = {}) {
  const profile = {
    version: 1,
    name: "vm",
    machine: { accel: "kvm" },
    cpus: { boot: 2 },
    memory: { size: "1G" },
    passthrough: { cdi },
    ...more,
  };
  const system = fakeSystem({
    "/vms/vm.json": JSON.stringify(profile, null, 2),
    "/vms/host.json": snapshot,
    ...files,
  });
  return planProfile(system, { profileFile: "/vms/vm.json", snapshot: "/vms/host.json", mayStart: false });
}

async function problems(work: Promise<unknown>): Promise<string[]> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof QlaunchError)) throw error;
  return error.diagnostics.map(
    ({ code, place, found }) => `${place?.file}:${place?.line}:${place?.column} ${code} ${found}`,
  );
}

it("files count from the profile's folder, and their devices are planned", async () => {
  const { plan } = await planWith(["cdi/gpus.yaml"], { "/vms/cdi/gpus.yaml": gpus });
  const devices = planArgv(plan).filter((word) => word.startsWith("vfio-pci"));
  expect(devices).toEqual([
    expect.stringMatching(/host=0000:41:00.0,x-nv-gpudirect-clique=0$/),
    expect.stringMatching(/host=0000:de:00.0,x-nv-gpudirect-clique=1$/),
  ]);
});

it("all problems are told at once: of the files at their places, and of the profile", async () => {
  const files = { "/vms/gpus.yaml": gpus.replace('"1"', '"99"'), "/etc/cdi/nic.json": "{" };
  const work = planWith(["gpus.yaml", "/etc/cdi/nic.json", "none.yaml"], files, { memory: { size: "1025" } });
  const found = await problems(work);
  expect(found).toContain('/vms/gpus.yaml:11:16 CDI_SPEC clique-id "99" of device gpu1');
  expect(found.some((line) => /^\/etc\/cdi\/nic.json:1:\d+ CDI_SYNTAX /.test(line))).toBe(true);
  expect(found).toContain("/vms/vm.json:17:7 CDI_UNREADABLE /vms/none.yaml does not exist");
  expect(found.filter((line) => line.includes("MEMORY_ALIGNMENT"))).toHaveLength(1);
});
