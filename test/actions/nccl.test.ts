import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type NcclRequest, predictTopology } from "../../src/actions/nccl.ts";
import { QlaunchError } from "../../src/errors/index.ts";
import { type System, SystemError } from "../../src/system/index.ts";
import { plan, recordedHost } from "../plan/planning.ts";
import { type FakeFile, fakeSystem } from "../rig/fake-system.ts";
import { pciFiles } from "../rig/pci-files.ts";
import { record } from "../vm/vfio/passed.ts";

const text = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const dpus = { of: "/vms/dpu.json", snapshot: "/vms/host.json" };
const files = {
  "/vms/dpu.json": text("../profiles/a100x-dpu.json"),
  "/vms/host.json": text("hosts/a100x-dpu.json"),
  "/vms/small.json": JSON.stringify({
    version: 1,
    name: "small",
    cpus: { boot: 1 },
    memory: { size: "256M" },
  }),
};

/** A machine where nothing can be written but what the test collects. */
function machine(tree: Readonly<Record<string, FakeFile>> = files, refuses = false) {
  const system = fakeSystem(tree, { uid: 0 });
  const written: Record<string, string> = {};
  const writeAtomically = (path: string, content: string | Uint8Array) => {
    if (refuses) throw new SystemError("ENOENT", `ENOENT: no such file or directory, open '${path}'`);
    written[path] = String(content);
  };
  return { system: { ...system, files: { ...system.files, writeAtomically } } satisfies System, written };
}

async function problem(system: System, request: NcclRequest): Promise<string> {
  const error = await predictTopology(system, request).catch((thrown: unknown) => thrown);
  if (!(error instanceof QlaunchError)) throw error;
  return error.diagnostics.map(({ code, found }) => `${code}: ${found}`).join("\n");
}

it("of a profile writes nothing, or the topology file alone", async () => {
  const { system, written } = machine();
  const prediction = await predictTopology(system, dpus);
  expect(prediction.devices.map(({ name }) => name)).toEqual([
    "GPU0",
    "GPU1",
    "NIC0",
    "NIC1",
    "NIC2",
    "NIC3",
  ]);
  expect(prediction.warnings.map(({ code }) => code)).toContain("PCIE_LINK");
  expect(written).toEqual({});
  await predictTopology(system, { ...dpus, topoFile: "/out/topo.xml" });
  expect(Object.keys(written)).toEqual(["/out/topo.xml"]);
  expect(written["/out/topo.xml"]).toContain('<pci busid="0000:f3:00.0"');
});

it("of a running VM takes its plan, and this machine's devices", async () => {
  const host = recordedHost("a100x-dpu");
  const planned = plan(JSON.parse(files["/vms/dpu.json"]), { host });
  const { system } = machine({
    ...pciFiles(host.pci ?? []),
    "/run/qlaunch/dpus/vm.json": JSON.stringify({ ...record, name: "dpus" }),
    "/run/qlaunch/dpus/plan.json": JSON.stringify(planned),
  });
  const { devices, pairs, warnings } = await predictTopology(system, { of: "dpus" });
  expect(
    devices.map(({ hostAddress, guestAddress }) => `${hostAddress} ${guestAddress}`).slice(0, 2),
  ).toEqual(["0000:41:00.0 0000:f8:00.0", "0000:de:00.0 0000:ff:00.0"]);
  expect(pairs).toHaveLength(15);
  expect(warnings).toEqual([]);
});

it("refuses a topology file of nothing, and tells of one that cannot be written", async () => {
  const small = { of: "/vms/small.json", snapshot: "/vms/host.json", topoFile: "topo.xml" };
  expect(await problem(machine().system, small)).toBe(
    "USAGE: --topo-file, and /vms/small.json gives no GPU or NIC of the host to its guest",
  );
  expect(await problem(machine(files, true).system, { ...dpus, topoFile: "/none/topo.xml" })).toBe(
    "HOST_FILE_MISSING: /none/topo.xml cannot be written",
  );
});

it("writes over a topology file only when it shall", async () => {
  const there = machine({ ...files, "/out/topo.xml": "<old/>" });
  const request = { ...dpus, topoFile: "/out/topo.xml" };
  expect(await problem(there.system, request)).toBe("FILE_EXISTS: /out/topo.xml is there already");
  expect(there.written).toEqual({});
  await predictTopology(there.system, { ...request, force: true });
  expect(Object.keys(there.written)).toEqual(["/out/topo.xml"]);
});
