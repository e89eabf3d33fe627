import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectQmp } from "../../dist/lib/qmp/index.js";
import { bareStart } from "./bare-start.mjs";
import { missingPrograms, proportionalBytes, startLibvirtd } from "./private-libvirtd.mjs";
import { stateFolder } from "./state-folder.mjs";
import { compare, time } from "./statistics.mjs";

const file = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
/** The two forms of the program, by the name that the rows have for them. */
const forms = { file: [file("dist/qlaunch")], Node: [process.execPath, file("bin/qlaunch.mjs")] };
const name = "bench-libvirt";
const dimmBytes = 256 * 2 ** 20;

/**
 * The same guest and the same work by qlaunch, by virsh on a libvirtd of its own, and by QEMU's bare monitor, in turn.
 * @returns no rows, and why, where libvirt is not installed
 */
export async function benchLibvirt(runs, qemu) {
  const missing = missingPrograms();
  if (missing.length > 0) {
    process.stderr.write(
      `not compared with libvirt: ${missing.join(" and ")} not installed (libvirt-daemon, libvirt-clients)\n`,
    );
    return [];
  }
  const libvirt = await startLibvirtd();
  const root = stateFolder("qlaunch-bench-");
  try {
    const shared = libvirt.shareQemu(qemu);
    const kernel = ["vmlinux", "initrd.img"].map((part) => libvirt.share(file(`profiles/.probe/${part}`)));
    const guest = openGuest({ root, libvirt, qemu: shared, kernel });
    return [
      ...(await benchPlans(runs, guest)),
      ...(await benchStart(runs, guest)),
      ...(await benchLive(runs, guest)),
      ...benchVersions(runs, guest),
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
    await libvirt.close();
  }
}

/** Two rows: the single file and Node's form against another way. */
const rows = (work, floor, ours, other) =>
  Object.keys(forms).map((form) => compare(`${work} (${form})`, floor, ours[form], other));

/** What the work before leaves to do, as the daemon's tidying and the kernel's taking back of memory, is not the next one's. */
const settleMs = 100;
/** Forth and back: what is left over is not always left to the same one. */
const inOrder = (list, run) => (run % 2 === 0 ? list : list.toReversed());

/** Collects the times of each kind of work over all runs but the first, which warms up. */
async function inTurn(runs, kinds) {
  const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  for (let run = -1; run < runs; run++) {
    for (const [kind, work] of inOrder(Object.entries(kinds), run)) {
      await sleep(settleMs);
      const spent = await work();
      if (run >= 0) times[kind].push(spent);
    }
  }
  return times;
}

const ownForms = (work) => Object.fromEntries(Object.keys(forms).map((form) => [form, () => work(form)]));

async function benchPlans(runs, guest) {
  const times = await inTurn(runs, {
    ...ownForms((form) => time(() => guest.run(form, "plan", guest.profile))),
    virsh: () => time(() => guest.libvirt.virsh("domxml-to-native", "qemu-argv", "--domain", name)),
  });
  return rows("plan", "virsh domxml-to-native", times, times.virsh);
}

async function benchStart(runs, guest) {
  const argv = guest.run("file", "plan", guest.profile, "--format", "argv").trim().split("\n");
  const times = await inTurn(runs, {
    ...ownForms(async (form) => {
      const spent = await time(() => guest.run(form, "up", guest.profile, "--paused"));
      guest.stop();
      return spent;
    }),
    async bare() {
      mkdirSync(join(guest.root, name, "qemu"), { recursive: true });
      const spent = await bareStart(guest.qemu, argv);
      rmSync(join(guest.root, name), { recursive: true });
      return spent;
    },
    async virsh() {
      const spent = await time(() => guest.libvirt.virsh("start", "--paused", name));
      guest.libvirt.virsh("destroy", name);
      return spent;
    },
  });
  return [
    ...rows("up --paused, pinned, read back", "bare exec to query-cpus-fast", times, times.bare),
    ...rows("up --paused, pinned, read back", "virsh start --paused", times, times.virsh),
  ];
}

/** What changes a paused guest of one vCPU, and what looks at it. */
async function benchLive(runs, guest) {
  const changed = { plus: {}, dimm: {}, list: {}, dump: {} };
  const add = (kind, who, spent, run) => {
    changed[kind][who] ??= [];
    if (run >= 0) changed[kind][who].push(spent);
  };
  let [managed, own] = [0, 0];
  for (let run = -1; run < runs; run++) {
    for (const form of Object.keys(forms)) {
      guest.run(form, "up", guest.small, "--paused");
      await sleep(settleMs);
      add("list", form, await time(() => guest.run(form, "ps")), run);
      add("dump", form, await time(() => guest.run(form, "info", name, "--json")), run);
      add("plus", form, await time(() => guest.run(form, "setvcpus", name, "8")), run);
      add(
        "dimm",
        form,
        await time(() => guest.run(form, "memory", "add", name, "--size", "256M", "--cell", "1")),
        run,
      );
      guest.stop();
    }
    guest.run("file", "up", guest.small, "--paused");
    await sleep(settleMs);
    const bare = await guest.bare();
    own = ownMemory(guest.root);
    add("plus", "bare", bare.plus, run);
    add("dimm", "bare", bare.dimm, run);
    guest.stop();
    const { virsh } = guest.libvirt;
    virsh("start", "--paused", guest.smallName);
    await sleep(settleMs);
    add("list", "virsh", await time(() => virsh("list")), run);
    add("dump", "virsh", await time(() => virsh("dumpxml", guest.smallName)), run);
    add("plus", "virsh", await time(() => virsh("setvcpus", guest.smallName, "8", "--live")), run);
    add(
      "dimm",
      "virsh",
      await time(() => virsh("attach-device", guest.smallName, guest.dimm, "--live")),
      run,
    );
    managed = guest.libvirt.memoryBytes();
    virsh("destroy", guest.smallName);
  }
  const { plus, dimm, list, dump } = changed;
  return [
    ...rows("7 vCPUs added to a paused guest, pinned", "bare QMP", plus, plus.bare),
    ...rows("7 vCPUs added to a paused guest, pinned", "virsh setvcpus --live", plus, plus.virsh),
    ...rows("a DIMM of 256 MiB added, bound", "bare QMP", dimm, dimm.bare),
    ...rows("a DIMM of 256 MiB added, bound", "virsh attach-device --live", dimm, dimm.virsh),
    ...rows("ps", "virsh list", list, list.virsh),
    ...rows("info --json", "virsh dumpxml", dump, dump.virsh),
    {
      ...compare(
        "memory of management while a guest runs",
        "libvirtd and virtlogd",
        [own / 2 ** 20],
        [managed / 2 ** 20],
      ),
      unit: "MiB",
    },
  ];
}

/** Bytes of what runs of qlaunch while a guest does: nothing, which is looked for and not assumed. */
function ownMemory(root) {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .reduce((sum, pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return words.includes(root) && !words.includes("-name\0guest=") ? sum + proportionalBytes(pid) : sum;
      } catch {
        // It has ended since.
        return sum;
      }
    }, 0);
}

function benchVersions(runs, guest) {
  const times = { file: [], Node: [], virsh: [] };
  for (let run = -1; run < runs; run++) {
    for (const kind of Object.keys(times)) {
      const began = performance.now();
      if (kind === "virsh") guest.libvirt.virsh("--version");
      else guest.run(kind, "--version");
      if (run >= 0) times[kind].push(performance.now() - began);
    }
  }
  return rows("--version", "virsh --version", times, times.virsh);
}

function openGuest({ root, libvirt, qemu, kernel }) {
  const environment = { ...process.env, QLAUNCH_RUN_DIR: root, QLAUNCH_QEMU: qemu };
  const [image, initrd] = kernel;
  const write = (boot) => {
    const path = join(root, `.profile-${boot}.json`);
    writeFileSync(path, JSON.stringify(profileOf(boot, image, initrd)));
    return path;
  };
  const smallName = `${name}-small`;
  for (const [domain, boot] of [
    [name, 16],
    [smallName, 1],
  ]) {
    libvirt.virsh("define", libvirt.write(`${domain}.xml`, domainOf(domain, boot, { qemu, image, initrd })));
  }
  const run = (form, ...words) => {
    const [program, ...script] = forms[form];
    const stdio = ["ignore", "pipe", "ignore"];
    return execFileSync(program, [...script, ...words], { env: environment, stdio, encoding: "utf8" });
  };
  return {
    ...{ root, libvirt, qemu, smallName, run },
    profile: write(16),
    small: write(1),
    dimm: libvirt.write("dimm.xml", dimmOf(1)),
    stop: () => run("file", "down", name, "--force"),
    /** Milliseconds that QEMU's own part takes of a client that is connected. */
    async bare() {
      const qmp = await connectQmp(connect(join(root, name, "qemu/qmp.sock")));
      const plus = await time(async () => {
        for (let id = 1; id < 8; id++) {
          const place = { "socket-id": id >> 2, "die-id": 0, "core-id": (id >> 1) & 1, "thread-id": id & 1 };
          await qmp.execute("device_add", { driver: "max-x86_64-cpu", id: `cpu${id}`, ...place });
        }
        await qmp.execute("query-cpus-fast");
      });
      const dimm = await time(async () => {
        await qmp.execute("object-add", { "qom-type": "memory-backend-ram", id: "more", size: dimmBytes });
        await qmp.execute("device_add", { driver: "pc-dimm", id: "dimm", memdev: "more", node: 1 });
        await qmp.execute("query-memory-devices");
      });
      await qmp.close();
      return { plus, dimm };
    },
  };
}

const cells = [0, 1, 2, 3];
const distances = (from) => cells.map((to) => (to === from ? 10 : 21));

const profileOf = (boot, image, initrd) => ({
  version: 1,
  name,
  machine: { accel: "tcg" },
  cpus: { boot, max: 16, model: "max", topology: { sockets: 4, dies: 1, cores: 2, threads: 2 } },
  memory: { size: "1G", max: "4G", slots: 4 },
  numa: {
    cells: cells.map((id) => ({
      ...{ cpus: `${id * 4}-${id * 4 + 3}`, memory: "256M", hostNodes: "0" },
      distances: distances(id),
    })),
  },
  pinning: { vcpus: { "0-15": "0" }, emulator: "0", overcommit: true },
  pcie: {
    tree: [{ expander: "pxb1", busNr: 254, numaNode: 1, ports: [{ rootPort: "rp" }] }],
    spareRootPorts: 0,
  },
  rng: { bus: "rp" },
  consoles: [],
  guestAgent: false,
  kernel: { image, initrd, cmdline: "console=ttyS0 quiet" },
});

const domainOf = (domain, boot, { qemu, image, initrd }) => `
<domain type='qemu'>
  <name>${domain}</name>
  <maxMemory slots='4' unit='GiB'>4</maxMemory>
  <memory unit='GiB'>1</memory>
  <vcpu current='${boot}'>16</vcpu>
  <cputune>
    ${Array.from({ length: 16 }, (_, vcpu) => `<vcpupin vcpu='${vcpu}' cpuset='0'/>`).join("\n    ")}
    <emulatorpin cpuset='0'/>
  </cputune>
  <numatune>${cells.map((id) => `<memnode cellid='${id}' mode='strict' nodeset='0'/>`).join("")}</numatune>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>${image}</kernel><initrd>${initrd}</initrd><cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='maximum'>
    <topology sockets='4' dies='1' cores='2' threads='2'/>
    <numa>
      ${cells
        .map(
          (id) =>
            `<cell id='${id}' cpus='${id * 4}-${id * 4 + 3}' memory='256' unit='MiB'><distances>${distances(
              id,
            )
              .map((value, to) => `<sibling id='${to}' value='${value}'/>`)
              .join("")}</distances></cell>`,
        )
        .join("\n      ")}
    </numa>
  </cpu>
  <devices>
    <emulator>${qemu}</emulator>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-expander-bus'><target busNr='254'><node>1</node></target></controller>
    <controller type='pci' index='2' model='pcie-root-port'>
      <address type='pci' domain='0' bus='1' slot='0' function='0'/>
    </controller>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <rng model='virtio'>
      <backend model='random'>/dev/urandom</backend>
      <address type='pci' domain='0' bus='2' slot='0' function='0'/>
    </rng>
  </devices>
</domain>`;

const dimmOf = (cell) => `
<memory model='dimm'><target><size unit='MiB'>256</size><node>${cell}</node></target></memory>`;
