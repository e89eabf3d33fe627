import fc from "fast-check";
import type { z } from "zod";
import type { profileSchema } from "../../src/profile/schema.ts";

/** What a profile file may say, before defaults. */
export type ProfileInput = z.input<typeof profileSchema>;

/** Small profiles that the schema accepts; nearly all of them break a rule between keys. */
export const anyProfile: fc.Arbitrary<unknown> = fc
  .record(
    {
      machine: optional({
        type: fc.constantFrom("q35", "pc-q35-7.2", "pc-q35-99.0"),
        accel: fc.constantFrom("auto" as const, "kvm" as const, "tcg" as const),
        firmware: fc.constantFrom(
          "seabios" as const,
          { ovmf: {} },
          { ovmf: { code: "/c,d", vars: "/v", secureBoot: true } },
        ),
        viommu: fc.constantFrom({}, { interruptRemapping: false }),
        smbios: fc.constantFrom({}, { product: "a,b", oemStrings: ["", "x=y"] }),
        hpet: fc.boolean(),
      }),
      numa: fc.oneof(
        fc.record({ cells: fc.array(anyCell(), { minLength: 1, maxLength: 4 }) }),
        fc.record({ partition: anyPartition() }),
      ),
      pinning: optional({
        vcpus: fc.oneof(
          fc.constantFrom("auto" as const, "none" as const),
          fc.dictionary(fc.constantFrom("0", "1-2", "0-7", "^1", "9"), anySet(), { maxKeys: 3 }),
        ),
        granularity: fc.constantFrom("node" as const, "core" as const, "thread" as const),
        emulator: anySet(),
        iothreads: fc.dictionary(anyId(), anySet(), { maxKeys: 2 }),
        threadPolicy: fc.constantFrom("prefer" as const, "isolate" as const, "require" as const),
        reserve: fc.oneof(anySet(), fc.constant("first-core" as const)),
        overcommit: fc.boolean(),
      }),
      pcie: optional({
        tree: fc.array(anyTreeNode(), { maxLength: 4 }),
        mirror: fc.constantFrom(true, { expanders: "node" as const }),
        topology: fc.constantFrom("flat" as const, "switch" as const),
        spareRootPorts: fc.nat(40),
        mmio64: fc.constantFrom("auto" as const, "64G", 1, "32T"),
      }),
      passthrough: optional({
        devices: fc.array(anyPassedDevice(), { maxLength: 4 }),
        clique: fc.constantFrom("auto" as const, 3),
        group: fc.constant("whole" as const),
        attach: fc.constant("pci" as const),
        backend: fc.constantFrom("legacy" as const, "iommufd" as const),
      }),
      standIns: fc.array(
        record(
          { id: anyId(), device: fc.constantFrom("display" as const, "nvme" as const, "memory" as const) },
          { bus: anyBus(), function: fc.nat(2), barSize: fc.constantFrom("1G", 3) },
        ),
        { maxLength: 3 },
      ),
      disks: fc.array(anyDisk(), { maxLength: 8 }),
      networks: fc.array(anyNetwork(), { maxLength: 4 }),
      filesystems: fc.array(
        record(
          {
            id: anyId(),
            path: fc.constantFrom("/srv", "/a,b", "/c d"),
          },
          {
            type: fc.constantFrom("9p" as const, "virtiofs" as const),
            readOnly: fc.boolean(),
            bus: anyBus(),
          },
        ),
        { maxLength: 3 },
      ),
      consoles: fc.array(
        record(
          { type: fc.constantFrom("serial" as const, "virtio" as const, "channel" as const) },
          {
            id: anyId(),
            name: fc.constantFrom("org.example.0", "x"),
          },
        ),
        { maxLength: 6 },
      ),
      rng: fc.boolean(),
      balloon: fc.boolean(),
      tpm: fc.constantFrom({}, { state: "/tpm" }),
      vsock: fc.record({ cid: fc.integer({ min: 3, max: 99 }) }),
      watchdog: fc.constantFrom({}, { model: "i6300esb" as const }),
      guestAgent: fc.boolean(),
      iothreads: fc.array(anyId(), { maxLength: 3 }),
      usb: fc.constantFrom(true, false, { tablet: true }),
      display: fc.constantFrom("none" as const, { vnc: {} }, { vnc: { video: "virtio" as const } }),
      kernel: fc.constantFrom({ image: "/k,1" }, { image: "/k", initrd: "/i", cmdline: "a=b,c" }),
      fwCfg: fc.array(
        record(
          { name: fc.constantFrom("opt/a", "opt/ovmf/X-PciMmio64Mb") },
          {
            string: fc.constantFrom("", "x,y"),
            file: fc.constant("/f"),
          },
        ),
        { maxLength: 3 },
      ),
      extraArgs: fc.array(fc.constantFrom("-foo", "a,b", ""), { maxLength: 2 }),
      sandbox: optional({
        seccomp: fc.boolean(),
        user: fc.constant("nobody"),
        group: fc.constant("kvm"),
      }),
    },
    { requiredKeys: [] },
  )
  .chain((rest) =>
    fc.record({
      version: fc.constant(1 as const),
      name: fc.constantFrom("vm", "A.b-c_d"),
      cpus: anyCpus(),
      memory: anyMemory(),
      ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, fc.constant(value)])),
    }),
  );

function anyCpus() {
  return record(
    { boot: fc.integer({ min: 1, max: 12 }) },
    {
      max: fc.integer({ min: 1, max: 300 }),
      model: fc.constantFrom("max", "host", "EPYC", "no-such"),
      features: fc.constantFrom({}, { svm: true }, { "model-id": "a, b" }, { kvm: false, hypervisor: true }),
      physicalBits: fc.constantFrom("host" as const, 36, 52),
      topology: optional({
        sockets: fc.integer({ min: 1, max: 4 }),
        dies: fc.integer({ min: 1, max: 2 }),
        cores: fc.integer({ min: 1, max: 4 }),
        threads: fc.integer({ min: 1, max: 2 }),
      }),
      hotpluggable: fc.boolean(),
    },
  );
}

function anyMemory() {
  const size = fc.constantFrom("1G", "512M", "1536M", 1, 0, "200G", "3T");
  return record(
    { size },
    {
      max: size,
      slots: fc.nat(4),
      backend: fc.constantFrom("auto" as const, "ram" as const, "memfd" as const, "file" as const),
      path: fc.constant("/dev/hugepages"),
      pageSize: fc.constantFrom("2M", "1G", 4096, 3000),
      locked: fc.boolean(),
      prealloc: fc.boolean(),
      share: fc.boolean(),
      merge: fc.boolean(),
    },
  );
}

function anyPartition() {
  return optional({
    mode: fc.constantFrom("host" as const, "node" as const),
    hostNodes: anySet(),
    cells: fc.integer({ min: 1, max: 5 }),
    distribution: fc.constantFrom(
      "contiguous" as const,
      "siblings" as const,
      "round-robin" as const,
      "interleave" as const,
    ),
  });
}

function anyCell() {
  return optional({
    cpus: fc.constantFrom("", "0", "0-1", "1-3", "2-3", "0-7", "4-11"),
    memory: fc.constantFrom(0, "512M", "1G", "3G"),
    hostNodes: fc.constantFrom("", "0", "2", "5", "0-1", "0,8", "9"),
    policy: fc.constantFrom("bind" as const, "preferred" as const, "interleave" as const),
    distances: fc.array(fc.constantFrom(10, 20, 31), { maxLength: 4 }),
  });
}

function anyTreeNode() {
  return fc.oneof(
    anyRootPort(),
    record(
      { expander: anyId() },
      {
        busNr: fc.integer({ min: 1, max: 255 }),
        numaNode: fc.nat(4),
        addr: anyAddr(),
        ports: fc.array(anyRootPort(), { maxLength: 3 }),
      },
    ),
  );
}

function anyRootPort() {
  const port = { addr: anyAddr(), chassis: fc.integer({ min: 1, max: 9 }), hotplug: fc.boolean() };
  return record(
    { rootPort: anyId() },
    {
      ...port,
      busReserve: fc.constantFrom(1, 8, 255),
      speed: fc.constantFrom("8" as const, "64" as const),
      switch: fc.record({
        upstream: anyId(),
        downstream: fc.array(record({ port: anyId() }, port), { minLength: 1, maxLength: 3 }),
      }),
    },
  );
}

function anyDisk() {
  return record(
    {
      id: anyId(),
      file: fc.constantFrom("/a.img", "/dev/sda", "/x,y=z .qcow2"),
      format: fc.constantFrom("raw" as const, "qcow2" as const),
    },
    {
      device: fc.constantFrom(
        "virtio-blk" as const,
        "virtio-scsi" as const,
        "nvme" as const,
        "sata" as const,
        "cdrom" as const,
      ),
      cache: fc.constantFrom("none" as const, "unsafe" as const),
      aio: fc.constantFrom("native" as const, "io_uring" as const),
      readOnly: fc.boolean(),
      iothread: anyId(),
      queues: fc.constantFrom(1, 4),
      boot: fc.nat(3),
      serial: fc.constant("a,b"),
      bus: anyBus(),
    },
  );
}

/** Of the recorded HGX board, and some that no host has. */
function anyPassedDevice() {
  const options = {
    id: anyId(),
    bus: anyBus(),
    clique: fc.constantFrom("none" as const, 1),
    attach: fc.constant("pci" as const),
    rom: fc.boolean(),
    identity: fc.constant({ vendor: "10de", device: "2330" }),
  };
  return fc.oneof(
    record({ address: fc.constantFrom("0000:19:00.0", "0000:02:00.1", "16:00.0", "0000:ff:00.0") }, options),
    record(
      {
        select: optional({
          class: fc.constantFrom("3d", "02", "audio"),
          vendor: fc.constantFrom("10de", "dead"),
          numaNode: fc.nat(1),
        }),
      },
      options,
    ),
  );
}

function anyNetwork() {
  return record(
    { id: anyId() },
    {
      user: fc.constantFrom({}, { forward: ["tcp::2222-:22"], restrict: true }),
      tap: fc.constant("tap0"),
      bridge: fc.constant("br0"),
      model: fc.constantFrom("virtio" as const, "e1000e" as const),
      mac: fc.constant("52:54:00:00:00:01"),
      queues: fc.constantFrom(1, 4),
      vhost: fc.boolean(),
      bus: anyBus(),
    },
  );
}

/** Few, so that they clash: with each other, and with names that the planner makes. */
function anyId() {
  return fc.constantFrom(
    "a",
    "b",
    "rp",
    "cpu1",
    "scsi0",
    "qmp",
    "rng0-source",
    "ram-node0",
    "constructor",
    "a.file",
  );
}

function anyBus() {
  return fc.constantFrom("a", "b", "rp", "pcie.0", "nothing");
}

function anyAddr() {
  return fc.constantFrom("1", "0x2.0", "2.1", "1f.3", "0");
}

function anySet() {
  return fc.constantFrom("", "0", "0-1", "3", "7", "0-7", "99");
}

function optional<Model extends Record<string, fc.Arbitrary<unknown>>>(model: Model) {
  return fc.record(model, { requiredKeys: [] });
}

function record<
  Required extends Record<string, fc.Arbitrary<unknown>>,
  Optional extends Record<string, fc.Arbitrary<unknown>>,
>(required: Required, rest: Optional) {
  return fc
    .tuple(fc.record(required), fc.record(rest, { requiredKeys: [] }))
    .map(([given, more]) => ({ ...given, ...more }));
}

/** Profiles that keep the rules between keys; most of them can be planned on most hosts. */
export const soundProfile: fc.Arbitrary<unknown> = fc
  .record({
    accel: fc.constantFrom("kvm", "tcg"),
    cells: fc.array(
      fc.record({
        cores: fc.nat(3),
        memory: fc.constantFrom("0", "512M", "1G"),
        bound: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    threads: fc.constantFrom(1, 2),
    bootShare: fc.double({ min: 0, max: 1, noNaN: true }),
    hotpluggable: fc.boolean(),
    pinning: optional({
      vcpus: fc.constantFrom("auto", "none"),
      granularity: fc.constantFrom("node", "core", "thread"),
      reserve: fc.constantFrom("", "0", "1,4", "0-1"),
    }),
    roots: fc.array(
      fc.record({ ports: fc.nat(3), downstream: fc.array(fc.nat(3), { maxLength: 2 }), reserve: fc.nat(4) }),
      { maxLength: 4 },
    ),
    boardPorts: fc.nat(10),
    spareRootPorts: fc.nat(12),
    disks: fc.array(
      record(
        {
          device: fc.constantFrom("virtio-blk", "virtio-scsi", "nvme", "sata", "cdrom"),
          format: fc.constantFrom("raw", "qcow2"),
        },
        { cache: fc.constantFrom("none", "writeback", "unsafe"), boot: fc.nat(9) },
      ),
      { maxLength: 6 },
    ),
    networks: fc.array(fc.constantFrom({ user: {} }, { tap: "tap0", queues: 2 }, { bridge: "br0" }), {
      maxLength: 4,
    }),
    rest: optional({
      balloon: fc.boolean(),
      usb: fc.constantFrom(true, { tablet: true }),
      display: fc.constant({ vnc: {} }),
      watchdog: fc.constantFrom({}, { model: "i6300esb" }),
      guestAgent: fc.boolean(),
      rng: fc.boolean(),
      extraArgs: fc.constant(["-global", "a.b=c"]),
    }),
  })
  .map((choice) => {
    const cells = choice.cells.map((cell, index) =>
      index === 0 ? { ...cell, cores: cell.cores + 1, memory: "1G" } : cell,
    );
    const max = cells.reduce((sum, cell) => sum + cell.cores, 0) * choice.threads;
    let next = 0;
    const hostNodes = [0, 8];
    return {
      version: 1,
      name: "vm",
      machine: { accel: choice.accel },
      cpus: {
        boot: Math.max(1, Math.round(choice.bootShare * max)),
        max,
        topology: { cores: max / choice.threads, threads: choice.threads },
        hotpluggable: choice.hotpluggable,
      },
      memory: { size: cells.reduce((sum, cell) => sum + bytesOf(cell.memory), 0) },
      numa: {
        cells: cells.map(({ cores, memory, bound }, index) => {
          const first = next;
          next += cores * choice.threads;
          return {
            cpus: cores === 0 ? "" : `${first}-${next - 1}`,
            memory,
            ...(bound ? { hostNodes: String(hostNodes[index % 2]) } : {}),
          };
        }),
      },
      pinning: choice.pinning,
      pcie: {
        spareRootPorts: choice.spareRootPorts,
        tree: [
          ...choice.roots.map(({ ports, downstream, reserve }, root) => ({
            expander: `pxb${root}`,
            numaNode: root % cells.length,
            ports: [
              ...Array.from({ length: ports }, (_, port) => ({
                rootPort: `rp${root}.${port}`,
                ...(reserve > 0 ? { busReserve: reserve } : {}),
              })),
              ...downstream.map((count, port) => ({
                rootPort: `sw${root}.${port}`,
                switch: {
                  upstream: `up${root}.${port}`,
                  downstream: Array.from({ length: count + 1 }, (_, index) => ({
                    port: `d${root}.${port}.${index}`,
                  })),
                },
              })),
            ],
          })),
          ...Array.from({ length: choice.boardPorts }, (_, port) => ({ rootPort: `board${port}` })),
        ],
      },
      disks: choice.disks.map((disk, index) => ({
        ...disk,
        id: `disk${index}`,
        file: `/disk,${index}.img`,
        // Every second one on an expander bus, where there is one.
        ...(choice.roots.length > 0 && index % 2 === 1 && disk.device !== "sata" && disk.device !== "cdrom"
          ? { bus: `pxb${index % choice.roots.length}` }
          : {}),
      })),
      networks: choice.networks.map((network, index) => ({ ...network, id: `net${index}` })),
      ...choice.rest,
    };
  });

/** What a sound profile may have on a recorded HGX board, whose nodes are 0 and 1. */
export const soundBoardProfile: fc.Arbitrary<unknown> = fc
  .record({
    profile: soundProfile,
    mirror: fc.constantFrom(false, true, { expanders: "node" }),
    clique: fc.constantFrom("auto", "none", 5),
    attach: fc.constantFrom("pcie", "pci"),
    devices: fc.subarray(
      [
        { select: { class: "3d" } },
        { select: { class: "infiniband", numaNode: 1 }, id: "nic" },
        { select: { vendor: "10de", class: "bridge" } },
        { address: "0000:18:00.0", rom: false },
        { address: "0000:04:00.0" },
        { address: "0000:1c:00.0", bus: "pcie.0" },
      ],
      { minLength: 1 },
    ),
  })
  .map(({ profile, mirror, clique, attach, devices }) => {
    const given = profile as { numa: { cells: object[] }; pcie: object };
    const cells = given.numa.cells.map((cell) =>
      "hostNodes" in cell && cell.hostNodes === "8" ? { ...cell, hostNodes: "1" } : cell,
    );
    return {
      ...given,
      numa: { cells },
      pcie: { ...given.pcie, mirror },
      passthrough: { clique, attach, devices },
    };
  });

function bytesOf(size: string): number {
  return { "512M": 2 ** 29, "1G": 2 ** 30 }[size] ?? 0;
}
