import { expect, it } from "vitest";
import { parseSection } from "../../src/profile/section.ts";

it("reads a disk with the defaults of profiles, with or without an id", () => {
  const { value, diagnostics } = parseSection("disk", '{"file": "a.img", "format": "raw"}', "--disk");
  expect(diagnostics).toEqual([]);
  expect(value).toMatchObject({ file: "a.img", device: "virtio-blk", cache: "none" });
  expect(value?.id).toBeUndefined();
  expect(parseSection("network", '{"id": "n", "user": {}}', "--nic").value).toMatchObject({
    id: "n",
    model: "virtio",
  });
});

it("tells every problem at its place", () => {
  const { value, diagnostics } = parseSection("disk", '{"fiel": "a.img", "format": "raws"}', "--disk");
  expect(value).toBeUndefined();
  expect(
    diagnostics.map(({ code, place, found, fix }) => [code, `${place?.file}:${place?.column}`, found, fix]),
  ).toEqual([
    ["PROFILE_UNKNOWN_KEY", "--disk:2", '"fiel" is not a key of the disk', 'did you mean "file"?'],
    ["PROFILE_VALUE", "--disk:29", 'format is "raws"', 'write "raw"'],
  ]);
});

it("tells what is no JSON, or none of an object", () => {
  expect(parseSection("network", "{", "--nic").diagnostics.map(({ code }) => code)).toEqual([
    "PROFILE_SYNTAX",
  ]);
  expect(parseSection("network", "[]", "--nic").diagnostics.map(({ found }) => found)).toEqual([
    "the network is an empty list",
  ]);
});

it("places problems that come later", async () => {
  const { locate } = parseSection("disk", '{"file": "a", "format": "raw", "bus": "x"}', "--disk");
  const [located] = await locate([
    { code: "LIVE_PORT", severity: "error", path: ["bus"], found: "", needed: "", fix: "" },
  ]);
  expect(located?.place).toMatchObject({ file: "--disk", line: 1, column: 39 });
});
