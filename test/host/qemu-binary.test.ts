import { expect, it } from "vitest";
import { QlaunchError } from "../../src/errors/index.ts";
import { findQemu } from "../../src/host/qemu-binary.ts";
import { type FakeFile, fakeSystem } from "../rig/fake-system.ts";

const program = (sizeBytes: number): FakeFile => ({ facts: { mode: 0o755, sizeBytes, modifiedMs: 7 } });
const everything = {
  "/usr/bin/qemu-system-x86_64": program(1),
  "/usr/libexec/qemu-kvm": program(2),
  "/usr/bin/kvm": program(3),
  "/opt/qemu/bin/qemu-system-x86_64": program(4),
};

function find(tree: Record<string, FakeFile>, asked?: string, environment: Record<string, string> = {}) {
  return findQemu(fakeSystem(tree, { environment, workingDirectory: "/opt/qemu" }), asked);
}

function refusalOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (error instanceof QlaunchError) return error.diagnostics[0];
    throw error;
  }
  return undefined;
}

it("takes the one asked for before all others", () =>
  expect(
    find(everything, "/opt/qemu/bin/qemu-system-x86_64", { QLAUNCH_QEMU: "/usr/bin/kvm" }).identity.sizeBytes,
  ).toBe(4));

it("takes a name asked for from PATH", () => expect(find(everything, "kvm").path).toBe("/usr/bin/kvm"));

it("takes a relative path from the working directory", () =>
  expect(find(everything, "bin/qemu-system-x86_64").path).toBe("/opt/qemu/bin/qemu-system-x86_64"));

it("takes $QLAUNCH_QEMU before the usual ones", () =>
  expect(find(everything, undefined, { QLAUNCH_QEMU: "/usr/bin/kvm" }).path).toBe("/usr/bin/kvm"));

it("takes the first usual one", () => {
  const { "/usr/bin/qemu-system-x86_64": _, ...others } = everything;
  expect(find(everything).path).toBe("/usr/bin/qemu-system-x86_64");
  expect(find(others).path).toBe("/usr/libexec/qemu-kvm");
  expect(find({ "/usr/bin/kvm": program(3) }).path).toBe("/usr/bin/kvm");
});

it("looks in PATH", () =>
  expect(find(everything, undefined, { PATH: "/opt/qemu/bin:/usr/bin" }).path).toBe(
    "/opt/qemu/bin/qemu-system-x86_64",
  ));

it("identifies the program behind links", () => {
  const tree = { ...everything, "/usr/local/bin/qemu": { link: "../../../opt/qemu/bin/qemu-system-x86_64" } };
  expect(find(tree, "/usr/local/bin/qemu")).toEqual({
    path: "/usr/local/bin/qemu",
    identity: {
      realPath: "/opt/qemu/bin/qemu-system-x86_64",
      sizeBytes: 4,
      modifiedMs: 7,
      modulesModifiedMs: [0, 0, 0],
    },
  });
});

it("takes another set of modules for another QEMU", () => {
  const tree = { ...everything, "/usr/lib64/qemu": { facts: { kind: "directory", modifiedMs: 5 } } } as const;
  expect(find(tree).identity.modulesModifiedMs).toEqual([0, 5, 0]);
});

it.each([
  ["asked for", "/nowhere/qemu", {}],
  ["in $QLAUNCH_QEMU", undefined, { QLAUNCH_QEMU: "/nowhere/qemu" }],
])("refuses one that is wrong, %s, although there are others", (how, asked, environment) =>
  expect(refusalOf(() => find(everything, asked, environment))).toMatchObject({
    code: "QEMU_ABSENT",
    found: `/nowhere/qemu, ${how}, is no program that can be run`,
  }),
);

it("says what to install when there is none", () =>
  expect(refusalOf(() => find({}))).toMatchObject({
    code: "QEMU_ABSENT",
    fix: expect.stringContaining("apt-get install qemu-system-x86"),
  }));
