import { describe, expect, it } from "vitest";
import { device, plan, problems, values } from "./planning.ts";

const bare = { rng: false, guestAgent: false, consoles: [], pcie: { spareRootPorts: 0 } };
const lines = (changes: object) =>
  values(plan({ ...bare, ...changes }), "device").filter((line) => !line.includes("-cpu,"));

describe("consoles", () => {
  it("end in sockets of the VM's own; what is written to them is logged", () => {
    const planned = plan({
      ...bare,
      consoles: [{ type: "serial" }, { type: "virtio", id: "hvc" }, { type: "channel", name: "org.x.0" }],
    });
    expect(values(planned, "chardev").slice(3)).toEqual([
      "socket,id=serial0-chardev,path=/run/qlaunch/vm/qemu/serial0.sock,server=on,wait=off,logfile=/run/qlaunch/vm/qemu/serial0.log,logappend=on",
      "socket,id=hvc-chardev,path=/run/qlaunch/vm/qemu/hvc.sock,server=on,wait=off,logfile=/run/qlaunch/vm/qemu/hvc.log,logappend=on",
      "socket,id=channel0-chardev,path=/run/qlaunch/vm/qemu/channel0.sock,server=on,wait=off",
    ]);
    expect(device(planned, "serial0")).toBe("isa-serial,id=serial0,chardev=serial0-chardev,index=0");
    expect(device(planned, "hvc")).toBe("virtconsole,id=hvc,bus=vserial.0,chardev=hvc-chardev");
    expect(device(planned, "channel0")).toBe(
      "virtserialport,id=channel0,bus=vserial.0,chardev=channel0-chardev,name=org.x.0",
    );
    expect(planned.run.consoles.map(({ id, type, name }) => [id, type, name])).toEqual([
      ["serial0", "serial", undefined],
      ["hvc", "virtio", undefined],
      ["channel0", "channel", "org.x.0"],
    ]);
  });

  it("need no controller for serial ports alone", () => {
    expect(lines({ consoles: [{ type: "serial" }] })).toHaveLength(1);
    expect(lines({ guestAgent: true }).at(-1)).toBe(
      "virtserialport,id=agent,bus=vserial.0,chardev=agent-chardev,name=org.qemu.guest_agent.0",
    );
  });

  it.each([
    [
      [{ type: "serial", name: "x" }],
      "PROFILE_VALUE consoles[0].name: a name for a serial console; a name for channels only",
    ],
    [
      [{ type: "channel" }],
      "PROFILE_MISSING_KEY consoles[0]: a channel without a name; the port's name in the guest",
    ],
    [Array(5).fill({ type: "serial" }), "PCIE_BUS_FULL consoles[4]: serial port 5; 4 serial ports at most"],
  ])("%j are refused", (consoles, problem) => expect(problems({ consoles })).toEqual([problem]));
});
