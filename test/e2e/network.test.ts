import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildChild, type ChildProgram } from "../rig/child.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { openRig, type Rig } from "../rig/vm.ts";

/*
 * A bridge and a tap device in a network of their own, and a copy of /etc that allows the bridge: nothing of the
 * host's is touched.
 */
const world = `set -e
mount -t sysfs none /sys
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
ip tuntap add tap7 mode tap
ip link set tap7 up
cp -a /etc "$FOLDER/etc"
mkdir -p "$FOLDER/etc/qemu"
echo allow br0 >"$FOLDER/etc/qemu/bridge.conf"
mount --bind "$FOLDER/etc" /etc
"$@" || true
ip -o link show master br0 >&2
kill "$(cat "$QLAUNCH_RUN_DIR/net/qemu/qemu.pid")"
`;

const unshare = ["unshare", "--net", "--mount"];
const refusal = spawnSync("sh", [
  "-c",
  `${unshare.join(" ")} sh -c 'ip link add br0 type bridge && ip tuntap add tap7 mode tap'`,
]);

let child: ChildProgram;
beforeAll(async () => {
  child = await buildChild();
});
afterAll(() => child.remove());

describe.each(qemuPrograms)("networks of the host, with %s,", (qemu) => {
  let rig: Rig;
  beforeEach(() => {
    rig = openRig(qemu);
  });
  afterEach(() => rig.close());

  it("are reached by a tap device, and by a bridge through its helper inside the sandbox", async ({
    skip,
  }) => {
    if (refusal.status !== 0) skip(`a network of its own cannot be made: ${refusal.stderr}`);
    const folder = join(rig.root, ".world");
    mkdirSync(folder);
    const networks = [
      { id: "bridged", bridge: "br0" },
      { id: "tapped", tap: "tap7" },
    ];
    const planned = await rig.plan({ name: "net", networks });
    const outcome = await child.run(
      { ...planned, paused: true },
      {
        environment: { ...rig.system.user.environment, FOLDER: folder },
        through: [...unshare, "sh", "-c", world, "sh"],
      },
    );
    expect(outcome.lines.at(-1), outcome.stderr).toMatchObject({ launched: { name: "net" } });
    expect(outcome.stderr).toMatch(/^\d+: tap0: .* master br0 state/m);
  });
});
