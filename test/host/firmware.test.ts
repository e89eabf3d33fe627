import { expect, it } from "vitest";
import { readFirmware } from "../../src/host/firmware.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const distribution = "/usr/share/qemu/firmware";
const administrator = "/etc/qemu/firmware";

function description(change: (data: ReturnType<typeof JSON.parse>) => void = () => {}): string {
  const data = {
    mapping: {
      device: "flash",
      executable: { filename: "/code.fd", format: "raw" },
      "nvram-template": { filename: "/vars.fd", format: "raw" },
    },
    targets: [{ architecture: "x86_64", machines: ["pc-i440fx-*", "pc-q35-*"] }],
    features: ["acpi-s3"],
  };
  change(data);
  return JSON.stringify(data);
}

const codeOf = (filename: string) =>
  description((data) => Object.assign(data.mapping.executable, { filename }));
const read = (tree: Record<string, string>) => readFirmware(fakeSystem(tree).files);

it("reads the images with their stores of variables", () =>
  expect(read({ [`${distribution}/60-ovmf.json`]: description() })).toEqual([
    { code: "/code.fd", vars: "/vars.fd", secureBoot: false },
  ]));

it("orders them by file name across both folders", () =>
  expect(
    read({
      [`${distribution}/40-b.json`]: codeOf("/b"),
      [`${distribution}/60-d.json`]: codeOf("/d"),
      [`${administrator}/30-a.json`]: codeOf("/a"),
      [`${administrator}/50-c.json`]: codeOf("/c"),
      [`${administrator}/README`]: "",
    }).map(({ code }) => code),
  ).toEqual(["/a", "/b", "/c", "/d"]));

it("lets the administrator replace one, or take it away with an empty file", () =>
  expect(
    read({
      [`${distribution}/40-a.json`]: codeOf("/theirs"),
      [`${administrator}/40-a.json`]: codeOf("/ours"),
      [`${distribution}/50-b.json`]: codeOf("/b"),
      [`${administrator}/50-b.json`]: "",
    }).map(({ code }) => code),
  ).toEqual(["/ours"]));

it("sees secure boot", () =>
  expect(
    read({ [`${distribution}/a.json`]: description((data) => data.features.push("secure-boot")) })[0]
      ?.secureBoot,
  ).toBe(true));

it.each<[string, (data: ReturnType<typeof JSON.parse>) => void]>([
  ["another architecture", (data) => Object.assign(data.targets[0], { architecture: "aarch64" })],
  ["another machine", (data) => Object.assign(data.targets[0], { machines: ["microvm"] })],
  ["a memory image", (data) => Object.assign(data.mapping, { device: "memory" })],
  ["qcow2", (data) => Object.assign(data.mapping.executable, { format: "qcow2" })],
  ["no store of variables", (data) => delete data.mapping["nvram-template"]],
])("passes over %s", (_, change) =>
  expect(read({ [`${distribution}/a.json`]: description(change) })).toEqual([]),
);

it("has none where none is installed", () => expect(read({})).toEqual([]));
