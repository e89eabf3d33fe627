import fc from "fast-check";

const names = [
  ...[
    "domain",
    "name",
    "memory",
    "vcpu",
    "cpu",
    "numa",
    "cell",
    "topology",
    "devices",
    "disk",
    "controller",
    "address",
  ],
  ...[
    "interface",
    "hostdev",
    "source",
    "target",
    "model",
    "driver",
    "os",
    "type",
    "features",
    "cputune",
    "vcpupin",
  ],
  ...[
    "numatune",
    "memnode",
    "memoryBacking",
    "hugepages",
    "page",
    "clock",
    "timer",
    "iommu",
    "rng",
    "backend",
    "x",
  ],
];
const values = [
  "",
  "0",
  "1",
  "-1",
  "0x20",
  "99999999999999",
  "pci",
  "yes",
  "on",
  "0-3",
  "^",
  "file",
  "virtio",
  "é",
  "KiB",
];
const attributes = [
  "type",
  "index",
  "model",
  "bus",
  "slot",
  "function",
  "cpus",
  "memory",
  "unit",
  "id",
  "nodeset",
  "x",
];

/** An element with others in it, four deep. */
function elementOf(depth: number): fc.Arbitrary<string> {
  return fc
    .record({
      name: fc.constantFrom(...names),
      given: fc.uniqueArray(fc.constantFrom(...attributes), { maxLength: 4 }),
      value: fc.constantFrom(...values),
      text: fc.constantFrom(...values),
      inside: depth === 0 ? fc.constant([]) : fc.array(elementOf(depth - 1), { maxLength: 4 }),
    })
    .map(
      ({ name, given, value, text, inside }) =>
        `<${name} ${given.map((key) => `${key}='${value}'`).join(" ")}>${text}${inside.join("")}</${name}>`,
    );
}
/** Elements with names and values of domains, in no order that a domain has. */
export const anyElement = elementOf(4);

/** Documents of which some are well-formed. */
export const anyText = fc.oneof(
  fc.string({ maxLength: 200 }),
  anyElement,
  fc.string().map((text) => `<domain>${text}`),
);
