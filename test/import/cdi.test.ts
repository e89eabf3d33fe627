import { describe, expect, it } from "vitest";
import { parseCdi } from "../../src/import/cdi.ts";

const path = ["passthrough", "cdi", 0];
const read = (text: string) => parseCdi(text, "/etc/cdi/nic.yaml", path);
/** "CODE line:column-end: found; needed" of each problem. */
const problems = (text: string) =>
  read(text).diagnostics.map(
    ({ code, place, found, needed }) =>
      `${code} ${place?.line}:${place?.column}-${place?.endColumn}: ${found}; ${needed}`,
  );

const yaml = `cdiVersion: 0.4.0
kind: mellanox.com/nic
devices:
- name: nic0
  annotations:
    bdf: "3d:00.0"
    clique-id: "0"
    attach-pci: "true"
  containerEdits:
    deviceNodes:
    - path: "/dev/vfio/66"
- name: nic1
  annotations:
    bdf: "0001:3D:00.1"
    attach-pci: false
    clique-id: 15
`;

describe("a CDI file", () => {
  it("has devices with their function, clique and place, in YAML", () => {
    expect(read(yaml)).toEqual({
      devices: [
        { name: "mellanox.com/nic=nic0", address: "0000:3d:00.0", path, clique: 0, attach: "pci" },
        { name: "mellanox.com/nic=nic1", address: "0001:3d:00.1", path, clique: 15, attach: "pcie" },
      ],
      diagnostics: [],
    });
  });

  it("is read as JSON too, with whatever else it says", () => {
    const json = {
      cdiVersion: "0.6.0",
      kind: "nvidia.com/gpu",
      annotations: { maker: "somebody" },
      devices: [{ name: "0", annotations: { bdf: "0000:41:00.0", other: "x" }, containerEdits: {} }],
      containerEdits: { env: ["A=b"] },
    };
    expect(read(JSON.stringify(json)).devices).toEqual([
      { name: "nvidia.com/gpu=0", address: "0000:41:00.0", path },
    ]);
  });

  it("may have the typographic quotes of the documents that show one", () => {
    const text = "cdiVersion: 0.4.0\nkind: nvidia.com/gpu\ndevices:\n- name: gpu0\n  annotations:\n";
    expect(read(`${text}    bdf: “41:00.0”\n    clique-id: “0”\n    attach-pci: “true"\n`).devices).toEqual([
      { name: "nvidia.com/gpu=gpu0", address: "0000:41:00.0", path, clique: 0, attach: "pci" },
    ]);
  });
});

describe("what is wrong with one", () => {
  it("is told at its place, all of it, with the device's name", () => {
    const text = yaml
      .replace('"3d:00.0"', '"3d:00"')
      .replace('clique-id: "0"', 'clique-id: "16"')
      .replace("attach-pci: false", "attach-pci: no way")
      .replace('    bdf: "0001:3D:00.1"\n', "");
    expect(problems(text)).toEqual([
      'CDI_SPEC 6:10-17: bdf "3d:00" of device nic0; the PCI address of a function of the host, such as "0000:41:00.0"',
      'CDI_SPEC 7:16-20: clique-id "16" of device nic0; a whole number from 0 to 15',
      'CDI_SPEC 12:9-13: device nic1 without the annotation bdf; the PCI address of a function of the host, such as "0000:41:00.0"',
      'CDI_SPEC 14:17-23: attach-pci "no way" of device nic1; "true" or "false"',
    ]);
    expect(read(text).devices).toEqual([]);
    expect(read(text).diagnostics[0]?.place).toMatchObject({
      file: "/etc/cdi/nic.yaml",
      text: '    bdf: "3d:00"',
    });
  });

  it("is its shape", () => {
    expect(problems("kind: gpu\ndevices:\n- annotations:\n    bdf: [1]\n")).toEqual([
      'CDI_SPEC 1:1-2: no cdiVersion of /etc/cdi/nic.yaml; a version such as "0.6.0"',
      'CDI_SPEC 1:7-10: kind of /etc/cdi/nic.yaml is "gpu"; a vendor and a class, such as "nvidia.com/gpu"',
      "CDI_SPEC 3:3-15: no devices[0].name of /etc/cdi/nic.yaml; text",
      "CDI_SPEC 4:10-13: devices[0].annotations.bdf of /etc/cdi/nic.yaml is a list; text, a number, true or false",
    ]);
    const whole = "cdiVersion: 0.4.0\nkind: a.b/c\n";
    expect(problems(`${whole}devices: []\n`)).toEqual([
      "CDI_SPEC 3:10-12: devices of /etc/cdi/nic.yaml is an empty list; one device or more",
    ]);
    expect(problems(`${whole}devices: {}\n`)).toEqual([
      "CDI_SPEC 3:10-12: devices of /etc/cdi/nic.yaml is an object; a list of devices",
    ]);
    expect(problems("")).toEqual([
      "CDI_SPEC 1:1-2: /etc/cdi/nic.yaml is empty; a CDI specification: cdiVersion, kind and devices",
    ]);
  });

  it("is its text: what is no YAML, keys given twice, and aliases that grow without end", () => {
    expect(problems("a: [1,\nb: }")[0]).toMatch(/^CDI_SYNTAX 2:\d+-\d+: \/etc\/cdi\/nic.yaml is no YAML: /);
    expect(problems("kind: a.b/c\nkind: a.b/d\n")).toEqual([
      "CDI_SYNTAX 2:1-2: /etc/cdi/nic.yaml is no YAML: Map keys must be unique; a CDI specification as YAML or JSON",
    ]);
    const levels = Array.from({ length: 9 }, (_, level) =>
      level === 0
        ? "a0: &a0 [x, x]"
        : `a${level}: &a${level} [${Array(9)
            .fill(`*a${level - 1}`)
            .join(", ")}]`,
    );
    expect(problems(levels.join("\n"))[0]).toMatch(/^CDI_SYNTAX 1:1-2: .*alias/);
  });
});
