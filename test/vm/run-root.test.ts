import { describe, expect, it } from "vitest";
import { checkSocketPaths, isVmName, placesFor, runRoot } from "../../src/vm/run-root.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const rootFor = (uid: number, environment: Record<string, string>) =>
  runRoot(fakeSystem({}, { uid, environment }));

describe("the run root", () => {
  it("is where the environment says, else root's or the session's", () => {
    expect(rootFor(0, {})).toBe("/run/qlaunch");
    expect(rootFor(0, { XDG_RUNTIME_DIR: "/run/user/0" })).toBe("/run/qlaunch");
    expect(rootFor(1000, { XDG_RUNTIME_DIR: "/run/user/1000" })).toBe("/run/user/1000/qlaunch");
    expect(rootFor(1000, { XDG_RUNTIME_DIR: "/run/user/1000", QLAUNCH_RUN_DIR: "/tmp/x" })).toBe("/tmp/x");
    expect(rootFor(0, { QLAUNCH_RUN_DIR: "x/../y" })).toBe("/y");
  });

  it("is not guessed for a user without a session", () => {
    expect(() => rootFor(1000, {})).toThrow(/RUN_DIRECTORY/);
    expect(() => rootFor(1000, { XDG_RUNTIME_DIR: "relative" })).toThrow(/RUN_DIRECTORY/);
  });
});

describe("a VM's name", () => {
  it.each(["a", "ol8-vnuma", "A.b_c-1", "x".repeat(64)])("can be %s", (name) => {
    expect(isVmName(name)).toBe(true);
  });
  it.each(["", ".", "..", "a/b", "../a", "-a", ".a", "a b", "a\n", "x".repeat(65)])(
    "cannot be %j",
    (name) => {
      expect(isVmName(name)).toBe(false);
    },
  );
});

describe("socket paths", () => {
  it("may have 107 bytes", () => {
    expect(() => checkSocketPaths(["/".padEnd(107, "x")])).not.toThrow();
    expect(() => checkSocketPaths(["/", "/".padEnd(108, "x")])).toThrow(/108 bytes/);
    expect(() => checkSocketPaths(["/".padEnd(60, "ä")])).toThrow(/119 bytes/);
  });

  it("are below the VM's folder, in the part that QEMU may write", () => {
    const places = placesFor("/run/qlaunch", "vm");
    expect(places.qmpSocket).toBe("/run/qlaunch/vm/qemu/qmp.sock");
    expect(places.logFile).toBe("/run/qlaunch/vm/qemu.log");
  });
});
