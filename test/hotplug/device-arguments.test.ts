import { describe, expect, it } from "vitest";
import {
  blockdevAddArguments,
  deviceAddArguments,
  netdevAddArguments,
  objectAddArguments,
} from "../../src/hotplug/device-arguments.ts";
import type { BlockdevOption, DeviceOption, NetdevOption, ObjectOption } from "../../src/plan/index.ts";
import { plan } from "../plan/planning.ts";

const types = new Map([
  ["write-cache", "OnOffAuto"],
  ["num-queues", "uint16"],
  ["serial", "str"],
  ["share-rw", "bool"],
  ["drive", "str"],
  ["bootindex", "int32"],
  ["x-width", "PCIELinkWidth"],
  ["mac", "str"],
  ["iothread", "link<iothread>"],
]);

describe("device_add", () => {
  const device = (properties: DeviceOption["properties"]) =>
    deviceAddArguments({ driver: "virtio-blk-pci", id: "data", properties }, types);

  it("has values of the property's JSON type", () => {
    expect(
      device({
        bus: "spare0",
        addr: "0x0",
        drive: "data",
        "write-cache": true,
        "share-rw": true,
        "num-queues": 4,
        "x-width": 16,
        serial: "007",
        iothread: "io0",
      }),
    ).toEqual({
      driver: "virtio-blk-pci",
      id: "data",
      bus: "spare0",
      addr: "0x0",
      drive: "data",
      "write-cache": "on",
      "share-rw": true,
      "num-queues": 4,
      "x-width": "16",
      serial: "007",
      iothread: "io0",
    });
    expect(device({ "write-cache": false })).toMatchObject({ "write-cache": "off" });
  });

  it("leaves out what is undefined", () => {
    expect(device({ serial: undefined })).toEqual({ driver: "virtio-blk-pci", id: "data" });
  });
});

/** What a profile plans, which is what comes to a running VM. */
function planned<Kind extends "device" | "object" | "blockdev" | "netdev">(option: Kind, changes: object) {
  return plan(changes).options.filter(
    (
      candidate,
    ): candidate is Extract<DeviceOption | ObjectOption | BlockdevOption | NetdevOption, { option: Kind }> & {
      because: readonly string[];
    } => candidate.option === option,
  );
}

it("blockdev-add has objects where the command line has dots", () => {
  const disks = [{ id: "data", file: "/data.qcow2", format: "qcow2" }];
  expect(planned("blockdev", { disks }).map(blockdevAddArguments)).toEqual([
    {
      driver: "file",
      "node-name": "data.file",
      filename: "/data.qcow2",
      aio: "native",
      discard: "unmap",
      cache: { direct: true, "no-flush": false },
    },
    {
      driver: "qcow2",
      "node-name": "data",
      file: "data.file",
      discard: "unmap",
      cache: { direct: true, "no-flush": false },
    },
  ]);
});

it("netdev_add has a list of objects for forwarded ports", () => {
  const networks = [
    { id: "a", user: { forward: ["tcp:127.0.0.1:2222-:22", "udp::53-:53"], restrict: true } },
    { id: "b", tap: "tap0", queues: 2, vhost: true },
  ];
  expect(planned("netdev", { networks }).map(netdevAddArguments)).toEqual([
    {
      type: "user",
      id: "a-netdev",
      restrict: true,
      hostfwd: [{ str: "tcp:127.0.0.1:2222-:22" }, { str: "udp::53-:53" }],
    },
    { type: "tap", id: "b-netdev", ifname: "tap0", script: "no", downscript: "no", queues: 2, vhost: true },
  ]);
});

it("object-add has host nodes as a list of numbers", () => {
  const object: ObjectOption = {
    option: "object",
    qomType: "memory-backend-memfd",
    id: "ram-dimm0",
    properties: { size: 2 ** 30, "host-nodes": [0, 2], policy: "bind", hugetlb: true, share: undefined },
  };
  expect(objectAddArguments(object)).toEqual({
    "qom-type": "memory-backend-memfd",
    id: "ram-dimm0",
    size: 2 ** 30,
    "host-nodes": [0, 2],
    policy: "bind",
    hugetlb: true,
  });
});
