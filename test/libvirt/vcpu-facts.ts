import type { Facts } from "./facts.ts";
import type { Option } from "./options.ts";

const levels = ["sockets", "dies", "cores", "threads"] as const;

/** The processor, its topology, and which vCPUs are there at the start: by -smp, or each by -device. */
export function readVcpus(options: readonly Option[], facts: Facts): void {
  const cpu = options.find(({ name }) => name === "cpu");
  facts.set("cpu model", cpu?.head ?? "");
  for (const [key, value] of cpu?.properties ?? []) {
    facts.set(`cpu ${key.replaceAll("_", "-")}`, value.startsWith("0x") ? `${Number(value)}` : value);
  }
  const smp = options.find(({ name }) => name === "smp");
  const count = Number(smp?.properties.get("cpus") ?? smp?.head ?? 1);
  const size = Object.fromEntries(
    levels.map((level) => [level, Number(smp?.properties.get(level) ?? 1)]),
  ) as Record<(typeof levels)[number], number>;
  for (const level of levels) facts.set(`vcpus ${level}`, `${size[level]}`);
  facts.set("vcpus most", smp?.properties.get("maxcpus") ?? `${count}`);
  const added = options
    .filter(({ name, head }) => name === "device" && head.endsWith("-cpu"))
    .map(({ properties }) => {
      const part = (name: string) => Number(properties.get(`${name}-id`) ?? 0);
      return (
        ((part("socket") * size.dies + part("die")) * size.cores + part("core")) * size.threads +
        part("thread")
      );
    });
  const first = Array.from({ length: count }, (_, index) => index);
  facts.set("vcpus at the start", [...first, ...added].sort((a, b) => a - b).join(" "));
}
