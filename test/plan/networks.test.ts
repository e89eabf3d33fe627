import { describe, expect, it } from "vitest";
import { macAddressFor } from "../../src/units/index.ts";
import { device, plan, problems, values } from "./planning.ts";

const network = (changes: object) => ({ id: "n", ...changes });
const tcg = { machine: { accel: "tcg" } };
const netdev = (changes: object, more: object = {}) =>
  values(plan({ networks: [network(changes)], ...more }), "netdev")[0];
const helper = "/usr/lib/qemu/qemu-bridge-helper";

describe("back ends", () => {
  it.each([
    [{ user: {} }, "user,id=n-netdev"],
    [
      { user: { restrict: true, forward: ["tcp:127.0.0.1:2222-:22", "udp::53-:53"] } },
      "user,id=n-netdev,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp::53-:53",
    ],
    [{ tap: "tap0" }, "tap,id=n-netdev,ifname=tap0,script=no,downscript=no,vhost=on"],
    [
      { tap: "tap0", queues: 4, vhost: false },
      "tap,id=n-netdev,ifname=tap0,script=no,downscript=no,queues=4",
    ],
    [{ bridge: "br0" }, `tap,id=n-netdev,br=br0,helper=${helper},vhost=on`],
    [{ bridge: "br0", bridgeHelper: "/opt/a,b" }, "tap,id=n-netdev,br=br0,helper=/opt/a,,b,vhost=on"],
  ])("%j", (changes, expected) => expect(netdev(changes)).toBe(expected));

  it("are served by the kernel only under KVM, unless the profile says so", () => {
    expect(netdev({ tap: "tap0" }, tcg)).not.toContain("vhost");
    expect(netdev({ tap: "tap0", vhost: true }, tcg)).toContain("vhost=on");
  });

  it("tell the launcher what has to be there", () => {
    const { run } = plan({ networks: [network({ tap: "tap0" }), { id: "b", bridge: "br0" }] });
    expect([run.taps, run.bridges]).toEqual([["tap0"], [{ name: "br0", helper }]]);
  });

  it("may start their helper only where there is a bridge", () => {
    expect(values(plan({ networks: [network({ bridge: "br0" })] }), "sandbox")[0]).toContain("spawn=allow");
    expect(values(plan({ networks: [network({ tap: "tap0" })] }), "sandbox")[0]).toContain("spawn=deny");
  });
});

describe("cards", () => {
  const card = (changes: object) => device(plan({ networks: [network({ user: {}, ...changes })] }), "n");

  it("keep an address that comes from the names of VM and card", () => {
    expect(card({})).toBe(
      `virtio-net-pci,id=n,bus=rp-n,addr=0x0,netdev=n-netdev,mac=${macAddressFor("vm", "n")}`,
    );
    expect(card({ mac: "52:54:00:AA:BB:CC" })).toContain("mac=52:54:00:aa:bb:cc");
  });

  it("have a vector for each queue of each direction, and two", () => {
    const planned = plan({ networks: [network({ tap: "tap0", queues: 4 })] });
    expect(device(planned, "n")).toMatch(/,mq=on,vectors=10$/);
  });

  it("are e1000e where the profile says so", () => expect(card({ model: "e1000e" })).toMatch(/^e1000e,/));
  it("have their place in the boot order", () => expect(card({ boot: 2 })).toContain("bootindex=2"));
});

describe("refused", () => {
  it.each([
    [{}, "NETWORK_COMBINATION networks[0]: n with no back end; one of user, tap and bridge"],
    [
      { user: {}, tap: "t" },
      "NETWORK_COMBINATION networks[0]: n with user and tap; one of user, tap and bridge",
    ],
    [
      { user: {}, queues: 2 },
      "NETWORK_COMBINATION networks[0].queues: 2 queue pairs on QEMU's user network; a tap device made with multi_queue",
    ],
    [
      { tap: "t", queues: 2, model: "e1000e" },
      "NETWORK_COMBINATION networks[0].queues: 2 queue pairs on e1000e; model virtio",
    ],
    [
      { user: {}, vhost: true },
      "NETWORK_COMBINATION networks[0].vhost: vhost with the user network; a tap or a bridge",
    ],
    [
      { user: {}, bridgeHelper: "/h" },
      "NETWORK_COMBINATION networks[0].bridgeHelper: a bridge helper without a bridge; a bridge",
    ],
    [
      { bridge: "b", bridgeHelper: "/my helper" },
      "NETWORK_COMBINATION networks[0].bridgeHelper: a space in /my helper; a path without spaces: QEMU reads one with spaces as a command line for the shell",
    ],
  ])("%j", (changes, problem) => expect(problems({ networks: [network(changes)] })).toEqual([problem]));

  it("one address twice", () => {
    const mac = "52:54:00:00:00:01";
    const networks = [network({ user: {}, mac }), { id: "b", user: {}, mac }];
    expect(problems({ networks })).toEqual([
      "ID_DUPLICATE networks[1].mac: 52:54:00:00:00:01 for b, which n has; a MAC address of its own for each card",
    ]);
  });
});
