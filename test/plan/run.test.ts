import { describe, expect, it } from "vitest";
import { places, plan, problems, recordedHost, tryPlan, values } from "./planning.ts";

describe("the monitors", () => {
  it("are the launcher's, ours and people's", () => {
    expect(values(plan(), "qmp")).toEqual(["chardev:launch", "chardev:qmp", "chardev:monitor"]);
    expect(values(plan(), "chardev").slice(0, 3)).toEqual([
      "socket,id=launch,fd=3",
      `socket,id=qmp,path=${places.qmpSocket},server=on,wait=off`,
      `socket,id=monitor,path=${places.monitorSocket},server=on,wait=off`,
    ]);
  });
});

it("names its threads, and starts stopped and bare", () => {
  expect(values(plan(), "name")).toEqual(["guest=vm,debug-threads=on"]);
  expect(values(plan(), "pidfile")).toEqual([places.pidFile]);
  const options = plan().options.map((option) => option.option);
  for (const flag of ["S", "nodefaults", "no-user-config"]) expect(options).toContain(flag);
});

it("has the profile's identity, or one that was kept", () => {
  const uuid = "0f2d1b06-6f4b-4a5c-9d27-9c1f3f1f5a10";
  expect(values(plan({ uuid }), "uuid")).toEqual([uuid]);
  expect(plan().uuid).toBeUndefined();
  expect(values(plan(), "uuid")).toEqual([]);
});

describe("a direct boot", () => {
  it("takes paths and command line as they are", () => {
    const planned = plan({ kernel: { image: "/k,1", initrd: "/i,1", cmdline: "console=ttyS0,115200 a b" } });
    expect([values(planned, "kernel"), values(planned, "initrd"), values(planned, "append")]).toEqual([
      ["/k,1"],
      ["/i,1"],
      ["console=ttyS0,115200 a b"],
    ]);
    expect(planned.run.files.map(({ path, what }) => [path, what])).toEqual([
      ["/k,1", "kernel image"],
      ["/i,1", "initial RAM disk"],
    ]);
  });

  it("needs no more than a kernel", () => {
    const planned = plan({ kernel: { image: "/k" } });
    expect([values(planned, "initrd"), values(planned, "append")]).toEqual([[], []]);
  });
});

describe("firmware entries", () => {
  it("hold text or a file", () => {
    const fwCfg = [
      { name: "opt/a", string: "x,y=z" },
      { name: "opt/b", file: "/f,1" },
    ];
    expect(values(plan({ fwCfg }), "fw_cfg")).toEqual(["name=opt/a,string=x,,y=z", "name=opt/b,file=/f,,1"]);
  });

  it.each([
    [{}, "PROFILE_VALUE fwCfg[0]: neither string nor file; one of them"],
    [{ string: "x", file: "/f" }, "PROFILE_VALUE fwCfg[0]: both string and file; one of them"],
    [
      { string: "" },
      "PROFILE_VALUE fwCfg[0].string: an empty string; at least one character: QEMU takes an empty string for none",
    ],
  ])("with %j are refused", (entry, problem) => {
    expect(problems({ fwCfg: [{ name: "opt/a", ...entry }] })).toEqual([problem]);
  });
});

describe("the sandbox", () => {
  it("denies all it can, unless it is off", () => {
    expect(values(plan(), "sandbox")).toEqual([
      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    ]);
    expect(values(plan({ sandbox: { seccomp: false } }), "sandbox")).toEqual([]);
  });

  it("has another user when the profile names one", () => {
    const sandbox = { user: "vm", group: "vms", groups: ["kvm"], openFiles: 4096 };
    expect(plan({ sandbox }).run).toMatchObject({
      user: { user: "vm", group: "vms", groups: ["kvm"] },
      openFiles: 4096,
    });
    expect(plan().run.user).toBeUndefined();
  });

  it.each([{ group: "kvm" }, { groups: ["kvm"] }])("%j without a user is refused", (sandbox) => {
    expect(problems({ sandbox })).toEqual([
      `HOST_SANDBOX sandbox.${Object.keys(sandbox)[0]}: a group without a user; sandbox.user, whose group it is`,
    ]);
  });
});

it("passes extraArgs on, last and marked", () => {
  const planned = plan({ extraArgs: ["-foo", "a,b c"] });
  expect(planned.options.at(-1)).toMatchObject({ option: "extra", arguments: ["-foo", "a,b c"] });
  expect(planned.decisions.find(({ id }) => id === "extraArgs")?.rule).toContain(
    "its checks do not cover them",
  );
});

it("runs the host's QEMU, or the one by name", () => {
  expect(plan().program).toBe("/usr/bin/qemu-system-x86_64");
  const { qemu: _, ...host } = recordedHost("laptop");
  expect(plan({}, { host }).program).toBe("qemu-system-x86_64");
});

it("tells all problems at once", () => {
  const result = tryPlan({
    cpus: { boot: 8, max: 4 },
    memory: { size: 0 },
    disks: [{ id: "a", file: "/a", format: "raw", device: "sata", iothread: "b" }],
  });
  const codes = result.ok ? [] : result.diagnostics.map(({ code }) => code);
  expect(codes).toEqual(["CPU_BOOT_ABOVE_MAX", "MEMORY_ALIGNMENT", "DISK_COMBINATION", "ID_UNKNOWN"]);
});
