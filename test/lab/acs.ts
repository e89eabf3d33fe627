import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import type { Suite } from "./checks.ts";
import { execute, modprobe, qlaunch, qlaunchJson, qlaunchOk } from "./host.ts";
import { type HostFunction, standIns } from "./pci.ts";
import { probeGuest, writeProfile } from "./profiles.ts";

const devices = "/sys/bus/pci/devices";
const kept = "/run/qlaunch/.acs.json";

/** What the simulated ports can have, what the kernel sets of it for its IOMMU, and what devices with ATS want. */
const capability = 0x5f;
const kernels = 0x1d;
const direct = 0x5d;

/** A word of config space, read by itself: nothing of qlaunch's is asked. */
function word(address: string, offset: number, value?: number): number {
  const bytes = Buffer.alloc(2);
  const file = openSync(`${devices}/${address}/config`, value === undefined ? "r" : "r+");
  try {
    if (value !== undefined) {
      bytes.writeUInt16LE(value);
      writeSync(file, bytes, 0, 2, offset);
    }
    return readSync(file, bytes, 0, 2, offset) === 2 ? bytes.readUInt16LE() : 0;
  } finally {
    closeSync(file);
  }
}

/** Where the capability is, along the chain of extended ones. */
function acsOffset(address: string): number | undefined {
  let offset = 0x100;
  while (offset >= 0x100) {
    if (word(address, offset) === 0x0d) return offset;
    offset = word(address, offset + 2) >> 4;
  }
  return undefined;
}

const control = (address: string, value?: number) => word(address, (acsOffset(address) ?? 0) + 6, value);

interface Listed {
  readonly address: string;
  readonly kind: string;
  readonly acs?: { readonly capability: number; readonly control: number };
  readonly ats?: boolean;
  readonly before?: number;
}
interface Result {
  readonly ports: readonly { readonly address: string; readonly before: number; readonly after: number }[];
}

let listed: readonly Listed[] = [];
let all: readonly HostFunction[] = [];
const withAcs = () => listed.filter(({ acs }) => acs !== undefined).map(({ address }) => address);
/** Ports that the suite changes by hand, and one of the same kind that it leaves alone. */
const [changed, other] = [() => withAcs()[1] ?? "", () => withAcs()[2] ?? ""];
const downstream = () => listed.find(({ kind }) => kind === "downstream-port")?.address ?? "";

export const acs: Suite = {
  host: "lab-hgx",
  timeoutSeconds: 600,
  async explain() {
    return [
      (await qlaunch("acs", "show")).stdout,
      existsSync(kept) ? readFileSync(kept, "utf8") : "nothing kept",
    ].join("\n");
  },
  checks: [
    {
      name: "acs show has every port and NIC, with the bits that config space has",
      async run() {
        await modprobe("e1000e");
        all = standIns();
        listed = await qlaunchJson<Listed[]>("acs", "show");
        const ports = readdirSync(devices).filter((address) =>
          readFileSync(`${devices}/${address}/class`, "utf8").startsWith("0x0604"),
        );
        const shown = listed.filter(({ kind }) => kind.endsWith("port")).map(({ address }) => address);
        assert.deepEqual(
          ports.filter((address) => acsOffset(address) !== undefined).sort(),
          [...withAcs()].sort(),
        );
        assert.ok(withAcs().length >= 9, `${withAcs().length} ports with ACS`);
        assert.deepEqual(
          shown.filter((address) => !ports.includes(address)),
          [],
        );
        for (const { address, acs: registers } of listed) {
          if (registers === undefined) continue;
          assert.deepEqual(registers, { capability, control: control(address) }, address);
        }
        const nics = all.filter(({ class: kind }) => kind.startsWith("0200")).map(({ address }) => address);
        assert.deepEqual(
          nics.filter((address) => !listed.some((each) => each.address === address)),
          [],
        );
        const words = await qlaunchOk("acs", "show");
        assert.match(words, /root-port .*SrcValid\+ TransBlk- ReqRedir\+ CmpltRedir\+ UpstreamFwd\+/);
      },
    },
    {
      name: "acs apply sets what a port can have of it, keeps what it had, and leaves others alone",
      async run() {
        assert.equal(control(changed(), 0x06), 0x06);
        const untouched = control(other());
        const { ports } = await qlaunchJson<Result>("acs", "apply", changed());
        assert.deepEqual(ports, [{ address: changed(), capability, before: 0x06, after: direct }]);
        assert.equal(control(changed()), direct);
        assert.equal(control(other()), untouched);
        assert.equal(statSync(kept).mode & 0o777, 0o600);
        const shown = await qlaunchJson<Listed[]>("acs", "show");
        assert.equal(shown.find(({ address }) => address === changed())?.before, 0x06);
      },
    },
    {
      name: "acs apply on the whole machine leaves every port so, and forgets nothing",
      async run() {
        control(other(), 0);
        const { ports } = await qlaunchJson<Result>("acs", "apply");
        assert.deepEqual(
          ports.map(({ address }) => address),
          withAcs(),
        );
        assert.deepEqual([...new Set(withAcs().map((address) => control(address)))], [direct]);
        assert.deepEqual(
          ports.filter(({ before, after }) => before === after).map(({ address }) => address),
          [changed()],
        );
      },
    },
    {
      name: "acs restore puts back what each port had at first, and forgets it",
      async run() {
        const { ports } = await qlaunchJson<Result>("acs", "restore");
        const first = (address: string) => (address === changed() ? 0x06 : address === other() ? 0 : kernels);
        assert.deepEqual(new Set(ports.map(({ address }) => address)), new Set(withAcs()));
        assert.deepEqual(
          withAcs().map((address) => control(address)),
          withAcs().map(first),
        );
        assert.ok(!existsSync(kept));
        for (const address of [changed(), other()]) control(address, kernels);
        assert.match(await qlaunchOk("acs", "restore"), /nothing was changed/);
      },
    },
    {
      name: "a port without the capability, a device, and anybody but root are refused",
      async run() {
        const said = async (...words: string[]) => {
          const { exitCode, stderr } = await qlaunch(...words);
          assert.equal(exitCode, 1, stderr);
          return stderr;
        };
        assert.match(await said("acs", "apply", downstream()), /HOST_ACS .* without the capability ACS/);
        assert.match(await said("acs", "apply", all[0]?.address ?? ""), /HOST_ACS .* is a device/);
        // A checkout may be its owner's alone.
        const copy = "/tmp/qlaunch-for-all";
        const bundle = readdirSync("dist").filter((file) => file.endsWith(".mjs"));
        await execute("mkdir", [copy]);
        await execute("cp", [...bundle.map((file) => `dist/${file}`), copy]);
        await execute("chmod", ["--recursive", "a+rX", copy]);
        const words = [process.execPath, `${copy}/cli.mjs`, "acs", "apply"];
        const asNobody = await execute("setpriv", ["--reuid", "65534", "--clear-groups", ...words]).then(
          ({ stdout }) => stdout,
          ({ stderr }: { stderr: string }) => stderr,
        );
        assert.match(asNobody, /HOST_ACS .*you are user 65534/);
        assert.deepEqual([...new Set(withAcs().map((address) => control(address)))], [kernels]);
      },
    },
    {
      name: "check tells of NICs without ATS, and plan which devices reach each other",
      async run() {
        const nic = all.find(({ class: kind }) => kind.startsWith("0200"));
        const gpus = all.filter(({ class: kind }) => kind.startsWith("0380"));
        const near = gpus.find(({ above }) => above[2] === nic?.above[2]);
        const far = gpus.find(({ node }) => node !== nic?.node);
        assert.ok(nic && near && far);
        const passed = [near, nic, far].map(({ address }) => ({ address }));
        const profile = writeProfile({
          ...probeGuest,
          name: "near",
          cpus: { boot: 1, model: "host" },
          memory: { size: "192M" },
          passthrough: { devices: passed },
        } as { name: string });
        const { diagnostics } = await qlaunchJson<{ diagnostics: { code: string; found: string }[] }>(
          "check",
          profile,
        );
        const told = diagnostics.filter(({ code }) => code === "HOST_P2P").map(({ found }) => found);
        assert.deepEqual(told, [`${nic.address}, a NIC without ATS`]);
        const { p2p } = await qlaunchJson<{
          p2p: { devices: string[]; relation: string; routes: string[] }[];
        }>("plan", profile);
        const relation = (one: HostFunction, two: HostFunction) =>
          p2p.find(({ devices: pair }) => pair.includes(one.address) && pair.includes(two.address))?.relation;
        assert.deepEqual(
          [relation(near, nic), relation(near, far), relation(nic, far)],
          ["switch", "across", "across"],
        );
        assert.match(await qlaunchOk("plan", profile, "--format", "explain"), /P2P: .*\n.*device +address/);
      },
    },
  ],
};
