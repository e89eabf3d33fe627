import type { Facts } from "./facts.ts";
import type { Option } from "./options.ts";

/** The guest's memory by cell, with what is behind each; a guest without cells has one. */
export function readMemory(options: readonly Option[], facts: Facts): void {
  const memory = options.find(({ name }) => name === "m");
  const mebibytes = (text: string | undefined) =>
    text === undefined ? undefined : /^\d+$/.test(text) ? Number(text) : bytesOf(text) / 2 ** 20;
  facts.set("memory at the start", `${mebibytes(memory?.properties.get("size") ?? memory?.head)}`);
  const most = mebibytes(memory?.properties.get("maxmem"));
  if (most !== undefined) facts.set("memory most", `${most}`);
  const slots = memory?.properties.get("slots");
  if (slots !== undefined) facts.set("memory slots", slots);
  const backends = new Map(
    options
      .filter(({ name, head }) => name === "object" && head.startsWith("memory-backend-"))
      .map((option) => [option.properties.get("id") ?? "", option]),
  );
  const cells = options.filter(({ name, head }) => name === "numa" && head === "node");
  facts.set("cells", `${cells.length}`);
  for (const { properties } of cells) {
    const cell = `cell ${properties.get("nodeid")}`;
    facts.set(`${cell} cpus`, numbersOf(properties.get("cpus")));
    readBackend(cell, backends.get(properties.get("memdev") ?? ""), facts);
  }
  const machine = options.find(({ name }) => name === "machine");
  if (cells.length === 0)
    readBackend("cell 0", backends.get(machine?.properties.get("memory-backend") ?? ""), facts);
  const merge = machine?.properties.get("mem-merge");
  if (merge !== undefined) {
    for (let cell = 0; cell < Math.max(1, cells.length); cell++) facts.set(`cell ${cell} merge`, merge);
  }
  for (const { head, properties } of options.filter(({ name }) => name === "numa")) {
    if (head === "dist")
      facts.set(`distance ${properties.get("src")} ${properties.get("dst")}`, properties.get("val") ?? "");
    else if (head.startsWith("hmat"))
      facts.set(`hmat ${[...properties].map(([key, value]) => `${key}=${value}`).join(" ")}`, "there");
  }
}

function readBackend(cell: string, backend: Option | undefined, facts: Facts): void {
  if (!backend) return;
  facts.set(`${cell} backend`, backend.head);
  // The kinds have defaults of their own.
  facts.set(`${cell} share`, backend.head === "memory-backend-memfd" ? "on" : "off");
  for (const [key, value] of backend.properties) {
    if (key === "id" || key === "x-use-canonical-path-for-ramblock-id") continue;
    facts.set(
      `${cell} ${key}`,
      key.startsWith("host-nodes")
        ? numbersOf(value)
        : key === "size"
          ? `${bytesOf(value) / 2 ** 20}`
          : value,
    );
  }
}

/** MiB where there is no unit, as -m has it; what is 2^20 and more are bytes. */
function bytesOf(text: string): number {
  const [, number = "0", unit = ""] = /^(\d+)([KMGTkmgt]?)/.exec(text) ?? [];
  const factor = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }[unit.toLowerCase()];
  if (factor !== undefined) return Number(number) * factor;
  return Number(number) >= 2 ** 20 ? Number(number) : Number(number) * 2 ** 20;
}

function numbersOf(text = ""): string {
  return text
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [from = "0", to = from] = part.split("-");
      return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index);
    })
    .join(" ");
}
