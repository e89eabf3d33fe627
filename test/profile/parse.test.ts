import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../src/errors/index.ts";
import { parseProfile } from "../../src/profile/index.ts";
import { profileText } from "./profiles.ts";

async function diagnose(changes: Readonly<Record<string, unknown>>) {
  return (await parseProfile(profileText(changes), "p.json")).diagnostics;
}

/** `numa.cells is an empty list | a list of 1 to 128 | add an entry` */
const words = ({ found, needed, fix }: Diagnostic) => `${found} | ${needed} | ${fix}`;

describe("a good profile", () => {
  it("has its defaults filled in", async () => {
    const { profile, diagnostics } = await parseProfile(profileText(), "p.json");
    expect(diagnostics).toEqual([]);
    expect(profile).toMatchObject({
      name: "vm",
      machine: { type: "q35", accel: "auto", firmware: "seabios" },
      memory: { size: 2 ** 30, backend: "auto" },
      consoles: [{ type: "serial" }],
      sandbox: { seccomp: true },
    });
  });

  it("locates what others say about it, a default at the nearest object that is there", async () => {
    const text = profileText({ numa: { cells: [{ cpus: "0-1" }] } });
    const { locate } = await parseProfile(text, "p.json");
    const at = (...path: (string | number)[]): Diagnostic => ({
      code: "NUMA_POLICY",
      severity: "error",
      path,
      found: "",
      needed: "",
      fix: "",
    });
    const located = await locate([
      at("numa", "cells", 0, "memory"),
      at("memory", "size"),
      at("pinning", "vcpus"),
      at(),
      at("numa", "cells"),
      at("numa", "cells", 0, "cpus"),
    ]);
    expect(
      located.map(({ path, place }) => [
        path.join("."),
        place && [place.line, place.column, place.endColumn],
      ]),
    ).toEqual([
      ["pinning.vcpus", [1, 1, 2]],
      ["memory.size", [8, 13, 17]],
      ["numa.cells", [11, 5, 12]],
      ["numa.cells.0.memory", [12, 7, 8]],
      ["numa.cells.0.cpus", [13, 17, 22]],
      ["", undefined],
    ]);
    expect(located[1]?.place).toMatchObject({ file: "p.json", text: '    "size": "1G"' });
  });
});

describe("places", () => {
  it("are in the order of the file, on the value, with the whole line", async () => {
    const diagnostics = await diagnose({ name: "a/b", cpus: { boot: 0 }, memory: { size: "x" } });
    expect(diagnostics.map(({ code, path, place }) => ({ code, path, ...place }))).toEqual([
      {
        code: "PROFILE_VALUE",
        path: ["name"],
        file: "p.json",
        line: 3,
        column: 11,
        endColumn: 16,
        text: '  "name": "a/b",',
      },
      {
        code: "PROFILE_VALUE",
        path: ["cpus", "boot"],
        file: "p.json",
        line: 5,
        column: 13,
        endColumn: 14,
        text: '    "boot": 0',
      },
      {
        code: "PROFILE_VALUE",
        path: ["memory", "size"],
        file: "p.json",
        line: 8,
        column: 13,
        endColumn: 16,
        text: '    "size": "x"',
      },
    ]);
  });

  it("count lines whatever ends them", async () => {
    for (const lineEnd of ["\n", "\r\n", "\r"]) {
      const text = profileText({ cpus: { boot: 0 } }).replaceAll("\n", lineEnd);
      const { diagnostics } = await parseProfile(text, "p.json");
      expect(diagnostics[0]?.place).toMatchObject({ line: 5, column: 13, text: '    "boot": 0' });
    }
  });
});

describe("unknown keys", () => {
  it.each([
    [{ memroy: {} }, "memroy", 'did you mean "memory"?'],
    [{ machine: { acel: "kvm" } }, "machine.acel", 'did you mean "accel"?'],
    [{ cores: 4 }, "cores", "remove it, or move it to where it belongs: cpus.topology"],
    [
      { cpus: { boot: 2, sockets: 2 } },
      "cpus.sockets",
      "remove it, or move it to where it belongs: cpus.topology",
    ],
    [
      { memory: { size: "1G", cpus: 1 } },
      "memory.cpus",
      "remove it, or move it to where it belongs: the profile itself or numa.cells[]",
    ],
    [{ xyzzy: 1 }, "xyzzy", "remove it"],
    [{ firewall: {} }, "firewall", "remove it"],
    [{ rng: { sorce: "/dev/random" } }, "rng.sorce", 'did you mean "source"?'],
    [
      { machine: { firmware: { ovmf: { secure: true } } } },
      "machine.firmware.ovmf.secure",
      'did you mean "secureBoot"?',
    ],
    [{ pcie: { tree: [{ rootport: "a" }] } }, "pcie.tree.0.rootport", 'did you mean "rootPort"?'],
    [{ pcie: { tree: [{ expander: "a", bus: 3 }] } }, "pcie.tree.0.bus", 'did you mean "busNr"?'],
    [
      { disks: [{ id: "a", file: "a", format: "raw", size: 1 }] },
      "disks.0.size",
      "remove it, or move it to where it belongs: memory or memory.devices[]",
    ],
  ])("%j", async (changes, path, fix) => {
    const diagnostics = await diagnose(changes);
    expect(diagnostics[0]).toMatchObject({ code: "PROFILE_UNKNOWN_KEY", fix });
    expect(diagnostics[0]?.path.join(".")).toBe(path);
  });

  it("are placed on the key, and alone leave a profile without them", async () => {
    const { profile, diagnostics } = await parseProfile(
      profileText({ xyzzy: 1, balloon: { x: 1 } }),
      "p.json",
    );
    expect(diagnostics.map(({ place }) => place?.text.slice(place.column - 1, place.endColumn - 1))).toEqual([
      '"xyzzy"',
      '"x"',
    ]);
    expect(profile).toMatchObject({ name: "vm", balloon: { deflateOnOom: true } });
    expect(profile).not.toHaveProperty("xyzzy");
  });

  it("are read as what was meant, so that what is below them is checked as well", async () => {
    const text = profileText({ memory: undefined, memroy: { size: "lots" } });
    const { profile, diagnostics } = await parseProfile(text, "p.json");
    expect(profile).toBeUndefined();
    expect(diagnostics.map(({ code, path }) => `${code} ${path.join(".")}`)).toEqual([
      "PROFILE_UNKNOWN_KEY memroy",
      "PROFILE_VALUE memroy.size",
    ]);
  });

  it("are found again by those who speak of the right name", async () => {
    const text = profileText({ memory: undefined, memroy: { sise: "1G" } });
    const { profile, locate } = await parseProfile(text, "p.json");
    expect(profile?.memory.size).toBe(2 ** 30);
    const [located] = await locate([
      {
        code: "MEMORY_ALIGNMENT",
        severity: "error",
        path: ["memory", "size"],
        found: "",
        needed: "",
        fix: "",
      },
    ]);
    expect(located?.place?.text.trim()).toBe('"sise": "1G"');
  });

  it("never take the place of a key that is there", async () => {
    const { profile } = await parseProfile(profileText({ naem: "other" }), "p.json");
    expect(profile?.name).toBe("vm");
  });

  it("named like what objects inherit are unknown as well", async () => {
    const text =
      '{"version":1,"name":"vm","cpus":{"boot":1},"memory":{"size":"1G"},"__proto__":{},"toString":1}';
    const { diagnostics } = await parseProfile(text, "p.json");
    expect(diagnostics.map(({ found }) => found)).toEqual([
      '"__proto__" is not a key of the profile',
      '"toString" is not a key of the profile',
    ]);
  });
});

describe("missing keys", () => {
  it("are named with what belongs there, at the object that lacks them", async () => {
    const { diagnostics } = await parseProfile(
      '{\n  "version": 1,\n  "cpus": {}, "disks": [{ "id": "a" }]\n}',
      "p.json",
    );
    expect(
      diagnostics.map(({ place, found, fix }) => `${place?.line}:${place?.column} ${found} | ${fix}`),
    ).toEqual([
      '1:1 the profile has no "name" | add "name" to the profile',
      '1:1 the profile has no "memory" | add "memory" to the profile',
      '3:3 cpus has no "boot" | add "boot" to cpus',
      '3:25 disks[0] has no "file" | add "file" to disks[0]',
      '3:25 disks[0] has no "format" | add "format" to disks[0]',
    ]);
  });

  it("say what the value must be", async () => {
    const [first] = await diagnose({ cpus: {} });
    expect(first).toMatchObject({
      code: "PROFILE_MISSING_KEY",
      needed: '"boot": a whole number from 1 to 4096',
    });
  });
});

describe("wrong values", () => {
  it.each([
    [
      { cpus: { boot: "16" } },
      'cpus.boot is the text "16" | a whole number from 1 to 4096 | write 16 without quotes',
    ],
    [{ cpus: { boot: 0 } }, "cpus.boot is 0 | a whole number from 1 to 4096 | raise it to 1 or more"],
    [
      { cpus: { boot: 5000 } },
      "cpus.boot is 5000 | a whole number from 1 to 4096 | lower it to 4096 or less",
    ],
    [
      { cpus: { boot: 1.5 } },
      "cpus.boot is 1.5 | a whole number from 1 to 4096 | write it without a fraction",
    ],
    [
      { cpus: { boot: null } },
      "cpus.boot is null | a whole number from 1 to 4096 | give it a value, or leave it out where there is a default",
    ],
    [
      { usb: "on" },
      'usb is the text "on" | true or false or an object, in which there may be "tablet" or "bus" | write true without quotes',
    ],
    [{ machine: { accel: "kvn" } }, 'machine.accel is "kvn" | "auto", "kvm" or "tcg" | write "kvm"'],
    [{ machine: { accel: "xen" } }, 'machine.accel is "xen" | "auto", "kvm" or "tcg" | write one of these'],
    [
      { machine: { firmware: "ovmf" } },
      'machine.firmware is "ovmf" | "seabios" or an object with "ovmf" | write {"ovmf": {}}',
    ],
    [
      { pinning: { vcpus: "autoo" } },
      'pinning.vcpus is "autoo" | "auto", "none" or an object whose keys are vCPU numbers such as "0" or "0-3" | write "auto"',
    ],
    [
      { pinning: { emulator: 4 } },
      'pinning.emulator is the number 4 | a list of numbers and ranges such as "0-3,^2,8" | write "4", in quotes',
    ],
    [
      { pcie: { mmio64: "big" } },
      'pcie.mmio64 is "big" | "auto" or a whole number of bytes, or text such as "512M", "32G" or "1T" (binary multiples) | write the number with K, M, G or T behind it, in quotes',
    ],
    [
      { pcie: { tree: [{}] } },
      'pcie.tree[0] is an empty object | an object with "expander" or an object with "rootPort" | write an object with "expander" or an object with "rootPort"',
    ],
    [{ disks: { id: "a" } }, 'disks is an object with "id" | a list | put it in a list, between [ and ]'],
    [
      { numa: { cells: [] } },
      "numa.cells is an empty list | a list of 1 to 128 | add an entry, or leave the key out",
    ],
    [
      { numa: [{}] },
      'numa is a list of 1 | an object, in which there may be "cells" or "partition" | write its one entry without the [ and ]',
    ],
    [
      { uuid: "x" },
      'uuid is "x" | a UUID such as "0f2d1b06-6f4b-4a5c-9d27-9c1f3f1f5a10" | write what uuidgen prints, or leave the key out',
    ],
    [
      { memory: { size: -1 } },
      'memory.size is -1 | a whole number of bytes, or text such as "512M", "32G" or "1T" (binary multiples) | write the number with K, M, G or T behind it, in quotes',
    ],
    [
      { networks: [{ id: "n", mac: "01:00:00:00:00:00" }] },
      'networks[0].mac is "01:00:00:00:00:00" | a unicast MAC address such as "52:54:00:12:34:56" (the first byte is even) | write six bytes in hexadecimal with colons between them, or leave the key out',
    ],
  ])("%j", async (changes, expected) => {
    expect((await diagnose(changes)).map(words)).toEqual([expected]);
  });

  it("of a union are told for the branch that was meant", async () => {
    const diagnostics = await diagnose({
      pcie: {
        tree: [
          { expander: "e", ports: [{ rootPort: "r", width: 3 }] },
          { rootPort: "s", slot: 0 },
        ],
      },
      pinning: { vcpus: { "0": 4, x: "1" } },
      machine: { firmware: { ovmf: { code: "" } } },
    });
    expect(diagnostics.map(({ code, path }) => `${code} ${path.join(".")}`)).toEqual([
      "PROFILE_VALUE pcie.tree.0.ports.0.width",
      "PROFILE_VALUE pcie.tree.1.slot",
      "PROFILE_TYPE pinning.vcpus.0",
      "PROFILE_VALUE pinning.vcpus.x",
      "PROFILE_VALUE machine.firmware.ovmf.code",
    ]);
  });

  it("of a union are told for the branch whose required key is there, however many keys of another are", async () => {
    const diagnostics = await diagnose({
      pcie: { tree: [{ rootPort: "r", busNr: 3, numaNode: 0, ports: [] }] },
    });
    expect(diagnostics.map(({ code, path }) => `${code} ${path.join(".")}`)).toEqual([
      "PROFILE_UNKNOWN_KEY pcie.tree.0.busNr",
      "PROFILE_UNKNOWN_KEY pcie.tree.0.numaNode",
      "PROFILE_UNKNOWN_KEY pcie.tree.0.ports",
    ]);
  });

  it("are shortened, and control characters are written as escapes", async () => {
    const [long] = await diagnose({ name: "x".repeat(500) });
    expect(long?.found).toBe(`name is "${"x".repeat(56)}..."`);
    const [coloured] = await diagnose({ name: "a\u001b[31m" });
    expect(coloured?.found).toBe('name is "a\\u001b[31m"');
  });
});

it("a profile of another version is told as that alone", async () => {
  const diagnostics = await diagnose({ version: 2, somethingNew: 1, name: "a/b" });
  expect(diagnostics.map(({ code }) => code)).toEqual(["PROFILE_VERSION"]);
});

it("a key that is given twice is told with the line of the first", async () => {
  const text = '{"version":1,"name":"a",\n"name":"b","cpus":{"boot":1},"memory":{"size":"1G"}}';
  const { profile, diagnostics } = await parseProfile(text, "p.json");
  expect(diagnostics).toMatchObject([
    {
      code: "PROFILE_DUPLICATE_KEY",
      found: "name is given a second time; the first is on line 1",
      place: { line: 2, column: 1 },
    },
  ]);
  expect(profile?.name).toBe("b");
});

it.each(["[]", "null", "3", '"x"', "true"])("%s is no profile", async (text) => {
  const { diagnostics } = await parseProfile(text, "p.json");
  expect(diagnostics).toMatchObject([
    { code: "PROFILE_TYPE", path: [], needed: 'an object with "version" and "name" and "cpus" and "memory"' },
  ]);
});
