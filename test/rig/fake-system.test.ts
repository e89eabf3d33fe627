import { expect, it } from "vitest";
import { SystemError } from "../../src/system/index.ts";
import { DryRunViolation, fakeSystem } from "./fake-system.ts";

const system = fakeSystem({
  "/sys/a/b/c": "text\n",
  "/sys/link": { link: "a/b" },
  "/sys/loop": { link: "loop" },
  "/dev/kvm": { facts: { kind: "character", mode: 0o660 } },
  "/bin/tool": { facts: { mode: 0o755 } },
});

it("reads files, also through links", () => {
  expect(system.files.readText("/sys/a/b/c")).toBe("text\n");
  expect(system.files.readText("/sys/link/c")).toBe("text\n");
  expect(system.files.realPath("/sys/link/c")).toBe("/sys/a/b/c");
  expect(system.files.readStart("/sys/a/b/c", 2).toString()).toBe("te");
  expect(system.files.readFrom("/sys/a/b/c", 2).toString()).toBe("xt\n");
  expect(system.files.readPart("/sys/a/b/c", 1, 2).toString()).toBe("ex");
});

it("reads bytes that are no text, and links in folders that are links", () => {
  const bytes = Buffer.from([0x86, 0x80, 0xff]);
  const { files } = fakeSystem({
    "/sys/device/config": { bytes },
    "/sys/device/driver": { link: "../drivers/x" },
    "/sys/bus": { link: "device" },
  });
  expect(files.readPart("/sys/bus/config", 1, 64)).toEqual(bytes.subarray(1));
  expect(files.facts("/sys/bus/config")?.sizeBytes).toBe(3);
  expect(files.readLink("/sys/bus/driver")).toBe("../drivers/x");
});

it("misses what is not there as the kernel does", () => {
  expect(() => system.files.readText("/nothing")).toThrow(SystemError);
  expect(system.files.tryReadText("/sys/a")).toBeUndefined();
  expect(system.files.facts("/sys/loop")).toBeUndefined();
  expect(system.files.list("/nothing")).toBeUndefined();
});

it("has the folders that its files are in", () => {
  expect(system.files.list("/sys")).toEqual(["a", "link", "loop"]);
  expect(system.files.facts("/sys/a")?.kind).toBe("directory");
});

it("keeps to permissions, unless for root", () => {
  expect(system.files.opens("/dev/kvm")).toBe(false);
  expect(fakeSystem({ "/dev/kvm": { facts: { mode: 0 } } }, { uid: 0 }).files.opens("/dev/kvm")).toBe(true);
});

it("finds programs in PATH", () => {
  expect(fakeSystem({ "/opt/x": "" }, { environment: { PATH: "/opt" } }).processes.find("x")).toBe("/opt/x");
  expect(system.processes.find("/bin/tool")).toBe("/bin/tool");
});

it("throws on everything that would change the machine", () => {
  const { files, processes, sockets, locks, affinity } = system;
  for (const act of [
    () => files.writeAtomically("/a", ""),
    () => files.write("/a", ""),
    () => files.openAppend("/a"),
    () => files.makeDirectory("/a", 0o700),
    () => files.changeOwner("/a", 0, 0),
    () => files.changeMode("/a", 0),
    () => files.copy("/a", "/b", 0),
    () => files.remove("/a"),
    () => processes.run("a", []),
    () => processes.start("a", [], { logPath: "/a" }),
    () => processes.signal(1, "SIGTERM"),
    () => sockets.connect("/a"),
    () => sockets.connectDuplex("/a"),
    () => locks.take("/a", ""),
    () => affinity.set([{ threadId: 1, cpus: [0] }]),
  ]) {
    expect(act).toThrow(DryRunViolation);
  }
});
