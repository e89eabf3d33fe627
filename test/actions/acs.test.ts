import { describe, expect, it } from "vitest";
import { applyPortAcs, listAcs, restorePortAcs } from "../../src/actions/acs.ts";
import { QlaunchError } from "../../src/errors/index.ts";
import type { Event } from "../../src/events/event.ts";
import type { PciFunction } from "../../src/host/index.ts";
import { type System, SystemError } from "../../src/system/index.ts";
import { behindSwitch, pciFunction } from "../host/pci-functions.ts";
import { type FakeFile, fakeSystem } from "../rig/fake-system.ts";
import { pciFiles } from "../rig/pci-files.ts";

/** A root port and a downstream port with ACS, a downstream port without, a GPU and a NIC with a virtual function. */
const functions = behindSwitch;
const [root, withAcs, withoutAcs] = ["0000:17:01.0", "0000:19:00.0", "0000:19:01.0"] as const;
const kept = "/run/qlaunch/.acs.json";

interface AcsHost {
  readonly system: System;
  readonly tree: Record<string, FakeFile>;
  /** Writes to config space, as "address offset word". */
  readonly writes: string[];
  /** Bits of a port's control register that it does not take. */
  readonly stuck: Map<string, number>;
  /** Ports whose config space the kernel does not let be written. */
  readonly refusing: Set<string>;
  controlOf(address: string): number | undefined;
}

function acsHost(given: readonly PciFunction[] = functions, uid = 0): AcsHost {
  const tree: Record<string, FakeFile> = {
    ...pciFiles(given, uid === 0 ? "root" : "user"),
    "/run/qlaunch": { facts: { kind: "directory", mode: 0o711 } },
    "/proc/sys/kernel/random/boot_id": "first\n",
  };
  const inner = fakeSystem(tree, { uid });
  const host: AcsHost = {
    tree,
    writes: [],
    stuck: new Map(),
    refusing: new Set(),
    controlOf: (address) => {
      const bytes = inner.files.readPart(`/sys/bus/pci/devices/${address}/config`, 0x246, 2);
      return bytes.length === 2 ? bytes.readUInt16LE() : undefined;
    },
    system: {
      ...inner,
      files: {
        ...inner.files,
        writePart(path, offset, bytes) {
          const address = path.split("/").at(-2) ?? "";
          if (host.refusing.has(address))
            throw new SystemError("EPERM", "EPERM: operation not permitted, write");
          const entry = tree[inner.files.realPath(path) ?? ""] as { bytes: Buffer };
          const word = Buffer.from(bytes).readUInt16LE();
          host.writes.push(`${address} ${offset.toString(16)} ${word.toString(16)}`);
          const fixed = host.stuck.get(address) ?? 0;
          const before = entry.bytes.readUInt16LE(offset);
          entry.bytes.writeUInt16LE((word & ~fixed) | (before & fixed), offset);
        },
        writeAtomically(path, content, mode) {
          expect([path, mode]).toEqual([kept, 0o600]);
          tree[path] = String(content);
        },
        remove(path) {
          delete tree[path];
        },
      },
      locks: { programs: () => [], take: async () => ({ release() {} }) },
    },
  };
  return host;
}

async function problems(work: Promise<unknown>): Promise<string[]> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof QlaunchError)) throw error;
  return error.diagnostics.map(({ code, found }) => `${code}: ${found}`);
}

const quiet = () => {};

describe("show", () => {
  it("has every port and NIC, and nothing else", async () => {
    const { functions: listed, warnings } = await listAcs(acsHost().system, {});
    expect(listed.map(({ address }) => address)).toEqual([
      root,
      "0000:18:00.0",
      withAcs,
      withoutAcs,
      "0000:1b:00.0",
      "0000:1b:00.1",
    ]);
    expect(listed[0]).toEqual({
      address: root,
      kind: "root-port",
      class: "060400",
      vendor: "1000",
      device: "c030",
      node: 0,
      acs: { capability: 0x1f, control: 0x1d },
    });
    expect(listed[4]).toMatchObject({ ats: false });
    expect(warnings).toEqual([]);
  });

  it("says that others than root see nothing of it", async () => {
    const { functions: listed, warnings } = await listAcs(acsHost(functions, 1000).system, {});
    expect(listed).toHaveLength(6);
    expect(listed.filter(({ acs, ats }) => acs !== undefined || ats !== undefined)).toEqual([]);
    expect(warnings.map(({ severity, found }) => `${severity}: ${found}`)).toEqual([
      "warning: you are user 1000, to whom config space shows neither ACS nor ATS",
    ]);
  });
});

describe("apply", () => {
  it("sets what each port can have, at its own offset, and keeps what they had", async () => {
    const host = acsHost();
    const events: Event[] = [];
    const changes = await applyPortAcs(host.system, [], (event) => events.push(event));
    expect(changes).toEqual([
      { address: root, capability: 0x1f, before: 0x1d, after: 0x1d },
      { address: withAcs, capability: 0x7f, before: 0, after: 0x5d },
    ]);
    expect(host.writes).toEqual([`${withAcs} 246 5d`]);
    expect(JSON.parse(host.tree[kept] as string)).toEqual({
      version: 1,
      bootId: "first",
      controls: { [withAcs]: 0 },
    });
    expect(events.at(-1)).toMatchObject({
      type: "step-ended",
      step: `ACS of ${withAcs}`,
      summary: "SrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ DirectTrans+",
    });
    const { functions: listed } = await listAcs(host.system, {});
    expect(listed[2]).toMatchObject({ acs: { capability: 0x7f, control: 0x5d }, before: 0 });
  });

  it("a second time changes nothing, and forgets nothing", async () => {
    const host = acsHost();
    await applyPortAcs(host.system, [], quiet);
    const before = host.tree[kept];
    await applyPortAcs(host.system, [withAcs], quiet);
    expect(host.writes).toHaveLength(1);
    expect(host.tree[kept]).toBe(before);
  });

  it("after somebody else's change still has what was there first", async () => {
    const host = acsHost();
    await applyPortAcs(host.system, [], quiet);
    const other = Buffer.from([0x1d, 0]);
    host.system.files.writePart(`/sys/bus/pci/devices/${withAcs}/config`, 0x246, other);
    await applyPortAcs(host.system, [], quiet);
    await restorePortAcs(host.system, [], quiet);
    expect(host.controlOf(withAcs)).toBe(0);
  });

  it("refuses what is no port or has no ACS, all at once, and touches nothing", async () => {
    const host = acsHost();
    expect(await problems(applyPortAcs(host.system, ["1a:00.0", "0000:18:00.0", "77:00.0"], quiet))).toEqual([
      "HOST_ACS: 0000:1a:00.0 is a device",
      "HOST_ACS: 0000:18:00.0 is of the kind upstream-port",
      "HOST_DEVICE_ABSENT: there is no PCI function 0000:77:00.0",
    ]);
    expect(await problems(applyPortAcs(host.system, [withoutAcs, withAcs], quiet))).toEqual([
      `HOST_ACS: ${withoutAcs} without the capability ACS`,
    ]);
    expect(await problems(applyPortAcs(host.system, ["port"], quiet))).toEqual([
      'USAGE: "port", which is no PCI address',
    ]);
    expect(host.writes).toEqual([]);
    expect(host.tree[kept]).toBeUndefined();
  });

  it("refuses a machine on which no port has it, others than root, and a kernel that is locked down", async () => {
    const bare = acsHost([pciFunction("0000:00:1c.0", { kind: "root-port", class: "060400" })]);
    expect(await problems(applyPortAcs(bare.system, [], quiet))).toEqual([
      "HOST_ACS: none of the 0 root ports and downstream ports of this host has the capability ACS",
    ]);
    expect(await problems(applyPortAcs(acsHost(functions, 1000).system, [], quiet))).toEqual([
      "HOST_ACS: you are user 1000",
    ]);
    const locked = acsHost();
    locked.tree["/sys/kernel/security/lockdown"] = "none [integrity] confidentiality\n";
    expect(await problems(applyPortAcs(locked.system, [], quiet))).toEqual([
      "HOST_ACS: the kernel is locked down (integrity), and lets nobody write to configuration space",
    ]);
    expect(locked.writes).toEqual([]);
  });

  it("puts back what it set when a later port does not take it, and keeps nothing", async () => {
    const second = { ...functions[3], acs: { capability: 0x7f, control: 0x1d } } as PciFunction;
    const host = acsHost(functions.map((each) => (each.address === withoutAcs ? second : each)));
    host.stuck.set(withoutAcs, 0x40);
    const events: Event[] = [];
    expect(await problems(applyPortAcs(host.system, [], (event) => events.push(event)))).toEqual([
      `HOST_ACS: ${withoutAcs} has SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans- after SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans+ was written`,
    ]);
    expect([host.controlOf(withAcs), host.controlOf(withoutAcs)]).toEqual([0, 0x1d]);
    expect(host.tree[kept]).toBeUndefined();
    expect(events.filter(({ type }) => type === "step-undone")).toEqual([
      { type: "step-undone", step: `ACS of ${withoutAcs}` },
      { type: "step-undone", step: `ACS of ${withAcs}` },
    ]);
  });

  it("keeps the kernel's words when that refuses", async () => {
    const host = acsHost();
    host.refusing.add(withAcs);
    expect(await problems(applyPortAcs(host.system, [], quiet))).toEqual([
      `HOST_ACS: ${withAcs}: the kernel refused to change its access control (EPERM)`,
    ]);
  });
});

describe("restore", () => {
  it("puts back what was before, and forgets it", async () => {
    const host = acsHost();
    await applyPortAcs(host.system, [], quiet);
    expect(await restorePortAcs(host.system, ["19:00.0"], quiet)).toEqual([
      { address: withAcs, capability: 0x7f, before: 0x5d, after: 0 },
    ]);
    expect(host.controlOf(withAcs)).toBe(0);
    expect(host.tree[kept]).toBeUndefined();
    expect(await restorePortAcs(host.system, [], quiet)).toEqual([]);
  });

  it("refuses ports that were not changed, and a file that is broken", async () => {
    const host = acsHost();
    await applyPortAcs(host.system, [], quiet);
    expect(await problems(restorePortAcs(host.system, [root], quiet))).toEqual([
      `HOST_ACS: ${root}, of which nothing is kept`,
    ]);
    for (const text of ["{", '{"version":1,"bootId":"first","controls":{"../../x":1}}', "null"]) {
      host.tree[kept] = text;
      expect(await problems(restorePortAcs(host.system, [], quiet))).toEqual([
        `HOST_ACS: ${kept}, which tells what ports had before, is broken`,
      ]);
    }
  });

  it("takes nothing from before the machine restarted, and forgets ports that are gone", async () => {
    const host = acsHost();
    await applyPortAcs(host.system, [], quiet);
    host.tree["/proc/sys/kernel/random/boot_id"] = "second\n";
    expect(await restorePortAcs(host.system, [], quiet)).toEqual([]);
    expect(host.controlOf(withAcs)).toBe(0x5d);
    host.tree["/proc/sys/kernel/random/boot_id"] = "first\n";
    delete host.tree[`/sys/bus/pci/devices/${withAcs}`];
    expect(await restorePortAcs(host.system, [], quiet)).toEqual([]);
    expect(host.tree[kept]).toBeUndefined();
  });
});
