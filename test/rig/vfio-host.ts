import type { PciFunction } from "../../src/host/index.ts";
import { type System, SystemError } from "../../src/system/index.ts";
import { type FakeFile, fakeSystem } from "./fake-system.ts";
import { pciFiles } from "./pci-files.ts";

/** As a kill -9 between two writes: no code under test may catch it. */
export class Killed extends Error {
  override readonly name = "Killed";
}

/** A machine in memory whose functions change drivers when sysfs is written to, as the kernel has them do. */
export interface VfioHost {
  readonly system: System;
  readonly tree: Record<string, FakeFile>;
  /** Every write as "what text", those of records by their file's name alone. */
  readonly writes: string[];
  /** Writes that are left until the kill. */
  writesLeft: number;
  /** What a function has now: "nvme", "vfio-pci (override vfio-pci)", "none". */
  stateOf(address: string): string;
  /** The function does not answer any more. */
  kill(address: string): void;
  /** The function is taken off the bus. */
  unplug(address: string): void;
  /** Further drivers that refuse every function. */
  readonly refusing: Set<string>;
}

const devices = "/sys/bus/pci/devices";
const drivers = "/sys/bus/pci/drivers";

interface Options {
  readonly uid?: number;
  /** Whether vfio-pci is registered at the beginning; modprobe registers it. Default true. */
  readonly isLoaded?: boolean;
  readonly files?: Readonly<Record<string, FakeFile>>;
}

/** Each function fits the driver that it has at first, and vfio-pci when its override says so. */
export function vfioHost(functions: readonly PciFunction[], options: Options = {}): VfioHost {
  const tree: Record<string, FakeFile> = {
    ...pciFiles(functions),
    "/dev/vfio/vfio": { facts: { kind: "character", mode: 0o666 } },
    "/sys/bus/pci/drivers_probe": "",
    "/sys/module/vfio_iommu_type1/refcnt": "0",
    "/usr/sbin/modprobe": "",
    ...options.files,
  };
  if (options.isLoaded !== false) tree[`${drivers}/vfio-pci/bind`] = "";
  const own = new Map(functions.map(({ address, driver }) => [address, driver]));
  const groups = new Map(functions.map(({ address, iommuGroup }) => [address, iommuGroup]));
  const folderOf = (address: string) => inner.files.realPath(`${devices}/${address}`);
  const driverOf = (address: string) =>
    inner.files
      .readLink(`${folderOf(address)}/driver`)
      ?.split("/")
      .at(-1);
  const overrideOf = (address: string) => {
    const text = inner.files.tryReadText(`${folderOf(address)}/driver_override`)?.trim();
    return text === "(null)" ? undefined : text;
  };
  const inner = fakeSystem(tree, { uid: options.uid ?? 0, environment: { PATH: "/usr/sbin" } });
  for (const { address } of functions) tree[`${folderOf(address)}/driver_override`] ??= "(null)\n";
  const noteDriver = (address: string) => {
    const group = groups.get(address);
    if (group === undefined) return;
    const onVfio = functions.some(
      (each) => each.iommuGroup === group && driverOf(each.address) === "vfio-pci",
    );
    if (onVfio) tree[`/dev/vfio/${group}`] ??= { facts: { kind: "character", mode: 0o600 } };
    else delete tree[`/dev/vfio/${group}`];
  };
  for (const { address } of functions) noteDriver(address);
  const bind = (address: string, driver: string) => {
    const override = overrideOf(address);
    const fits = override === undefined ? own.get(address) === driver : override === driver;
    if (!fits || driverOf(address) !== undefined || host.refusing.has(driver)) {
      throw new SystemError("ENODEV", "ENODEV: no such device, write");
    }
    tree[`${folderOf(address)}/driver`] = { link: `${drivers}/${driver}` };
    noteDriver(address);
  };
  const act = (path: string, text: string) => {
    const [, address = "", rest = ""] = /^\/sys\/bus\/pci\/devices\/([^/]+)\/(.*)$/.exec(path) ?? [];
    if (inner.files.facts(path) === undefined && rest !== "driver/unbind")
      throw new SystemError("ENOENT", `ENOENT: no such file or directory, open '${path}'`);
    if (rest === "driver_override") tree[`${folderOf(address)}/${rest}`] = `${text.trim() || "(null)"}\n`;
    else if (rest === "driver/unbind") {
      delete tree[`${folderOf(address)}/driver`];
      noteDriver(address);
    } else if (path === "/sys/bus/pci/drivers_probe") {
      const driver = overrideOf(text) ?? own.get(text);
      if (driver !== undefined && inner.files.facts(`${drivers}/${driver}`)) bind(text, driver);
    } else if (path.startsWith(`${drivers}/`)) bind(text, path.split("/").at(-2) ?? "");
    else throw new SystemError("EACCES", `EACCES: permission denied, open '${path}'`);
  };
  const count = (what: string) => {
    if (host.writesLeft-- <= 0) throw new Killed(what);
    host.writes.push(what);
  };
  const host: VfioHost = {
    tree,
    writes: [],
    writesLeft: Number.POSITIVE_INFINITY,
    refusing: new Set(),
    system: {
      ...inner,
      files: {
        ...inner.files,
        write(path, text) {
          count(`${path.split("/").slice(-2).join("/")} ${text.trim()}`.trim());
          act(path, text);
        },
        writeAtomically(path, text) {
          count(path.split("/").at(-1) ?? "");
          tree[path] = typeof text === "string" ? text : { bytes: Buffer.from(text) };
        },
        remove(path) {
          count(`remove ${path}`);
          for (const key of Object.keys(tree))
            if (key === path || key.startsWith(`${path}/`)) delete tree[key];
        },
      },
      processes: {
        ...inner.processes,
        run: async (program, words) => {
          count([program, ...words].join(" "));
          if (words[0] === "vfio-pci" && !host.refusing.has("modprobe"))
            tree[`${drivers}/vfio-pci/bind`] = "";
          return { exitCode: 0, signal: undefined, stdout: "", stderr: "" };
        },
      },
      locks: { programs: () => [], take: async () => ({ release() {} }) },
    },
    stateOf(address) {
      const override = overrideOf(address);
      return `${driverOf(address) ?? "none"}${override === undefined ? "" : ` (override ${override})`}`;
    },
    kill(address) {
      tree[`${folderOf(address)}/config`] = { bytes: Buffer.alloc(64, 0xff) };
    },
    unplug(address) {
      const folder = folderOf(address);
      for (const key of Object.keys(tree)) if (key.startsWith(`${folder}/`)) delete tree[key];
      delete tree[`${devices}/${address}`];
    },
  };
  return host;
}
