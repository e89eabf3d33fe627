import { readFileSync } from "node:fs";
import { importTypeScript } from "../import-typescript.mjs";
import { places } from "./places.mjs";
import { compare, time } from "./statistics.mjs";

const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));

/** Planning an HGX board, and 64 of 256 devices on a host of 8 root complexes with 64 switches. */
export async function benchDevicePlans(runs) {
  const { planVm } = await importTypeScript("src/plan/planner.ts");
  const { profileSchema } = await importTypeScript("src/profile/schema.ts");
  const host = read("test/hosts/hgx-h200.json");
  const board = read("profiles/hgx-h200.json");
  const { passthrough: _, ...withoutDevices } = board;
  const manyDevices = {
    ...board,
    pcie: { mirror: true },
    passthrough: { devices: [{ select: { vendor: "10de" } }] },
  };
  const inputs = [
    { profile: withoutDevices, host },
    { profile: board, host },
    { profile: manyDevices, host: { ...host, pci: hostTree() } },
  ].map((input) => ({ ...input, profile: profileSchema.parse(input.profile), ledger: [], places }));
  const times = inputs.map(() => []);
  for (let run = -20; run < runs; run++) {
    for (const [index, input] of inputs.entries()) {
      const spent = await time(() => {
        const result = planVm(input);
        if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
      });
      if (run >= 0) times[index].push(spent);
    }
  }
  const [without, hgx, many] = times;
  return [
    compare("plan, hgx-h200 with 21 devices", "the same without devices", hgx, without),
    // A ratio of 1 is linear growth: as much time for each device as on the board.
    compare(
      "plan, 64 of 256 devices",
      "64/21 x the plan of hgx-h200",
      many,
      hgx.map((value) => (value * 64) / 21),
    ),
  ];
}

/** Eight root complexes on two nodes, eight switches each, below each a GPU and three others, in an order that is mixed up. */
function hostTree() {
  const functions = [];
  let bus = 0;
  const nextBus = () => (++bus).toString(16).padStart(4, "0");
  for (let complex = 0; complex < 8; complex++) {
    const rootBus = `${complex.toString(16).padStart(4, "0")}:00`;
    for (let slot = 0; slot < 8; slot++) {
      const shared = {
        rootBus,
        node: complex % 2,
        bars: [],
        vendor: "8086",
        device: "352a",
        class: "060400",
      };
      const root = `${rootBus}:${(slot + 1).toString(16).padStart(2, "0")}.0`;
      const upstream = `${nextBus()}:10:00.0`;
      functions.push({ ...shared, address: root, kind: "root-port" });
      functions.push({ ...shared, address: upstream, parent: root, kind: "upstream-port" });
      for (let port = 0; port < 4; port++) {
        const downstream = `${upstream.slice(0, 4)}:11:0${port}.0`;
        functions.push({ ...shared, address: downstream, parent: upstream, kind: "downstream-port" });
        functions.push({
          ...shared,
          address: `${upstream.slice(0, 4)}:2${port}:00.0`,
          parent: downstream,
          kind: "endpoint",
          vendor: port === 0 ? "10de" : "15b3",
          class: port === 0 ? "030200" : "020700",
          iommuGroup: functions.length,
          bars: [{ index: 2, sizeBytes: 2 ** 34, kind: "mem64", prefetchable: true }],
        });
      }
    }
  }
  return mixedUp(functions);
}

/** The same order on every run. */
function mixedUp(items) {
  let seed = 1;
  const next = () => {
    seed = (seed * 16807) % 2147483647;
    return seed;
  };
  return items
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
