import { readDevices } from "./devices.ts";
import { readMemory } from "./memory-facts.ts";
import { type Option, readOptions } from "./options.ts";
import { readVcpus } from "./vcpu-facts.ts";

/** What a command line says, each thing by its name: what is said in two ways is one fact. */
export type Facts = Map<string, string>;

/** Switches of which each property is a fact. */
const plain = [
  ...["uuid", "kernel", "initrd", "append", "bios", "display", "vnc", "sandbox", "msg", "name", "rtc"],
  ...["action", "overcommit", "boot", "pidfile", "audiodev"],
];
const flags = ["S", "no-shutdown", "no-reboot", "no-user-config", "nodefaults"];
/** What is read elsewhere, or is what stands behind a device. */
const elsewhere = [
  ...[
    "machine",
    "accel",
    "cpu",
    "smp",
    "m",
    "numa",
    "device",
    "blockdev",
    "drive",
    "netdev",
    "fsdev",
    "tpmdev",
  ],
  ...["no-acpi", "no-hpet"],
];

/** @param vcpus how many the guest starts with, where others come over the monitor before it runs */
export function factsOf(argv: readonly string[], vcpus?: number): Facts {
  const options = readOptions(argv);
  const facts: Facts = new Map();
  readMachine(options, facts);
  readVcpus(options, facts);
  readMemory(options, facts);
  readDevices(options, facts);
  readFirmware(options, facts);
  const used = usedIds(options);
  for (const option of options) readOther(option, used, facts);
  leaveOutUsual(facts, vcpus ?? facts.get("vcpus at the start")?.split(" ").length ?? 1);
  return facts;
}

/** @throws for a switch that nothing here knows: it would be lost in silence */
function readOther({ name, head, properties }: Option, used: ReadonlySet<string>, facts: Facts): void {
  const id = properties.get("id") ?? head;
  if (name === "global") {
    const [key, value] = [...properties][0] ?? ["", ""];
    const isLong = properties.has("driver");
    const size = /^(\d+)K$/.exec(value)?.[1];
    facts.set(
      `global ${isLong ? `${properties.get("driver")}.${properties.get("property")}` : key}`,
      (isLong ? properties.get("value") : size === undefined ? value : `${Number(size) * 1024}`) ?? "",
    );
  } else if (name === "object") {
    if (!head.startsWith("memory-backend-") && !used.has(id)) facts.set(`object ${head} ${id}`, "there");
  } else if (name === "smbios" || name === "fw_cfg") {
    const key = `${name} ${properties.get("type") ?? properties.get("name") ?? head}`;
    for (const [part, value] of properties) if (part !== "type") facts.set(`${key} ${part}`, value);
  } else if (name === "chardev" || name === "qmp" || name === "mon") {
    if (!used.has(id)) facts.set(`monitor ${id}`, "there");
  } else if (name === "watchdog-action") facts.set("action watchdog", head);
  else if (plain.includes(name)) {
    if (head !== "" || properties.size === 0) facts.set(name, head);
    for (const [key, value] of properties) facts.set(`${name} ${key}`, value);
  } else if (flags.includes(name)) facts.set(name, "on");
  else if (!elsewhere.includes(name)) throw new Error(`nothing is known of -${name}`);
}

/** What QEMU has anyway where nothing is said. @see https://www.qemu.org/docs/master/system/qemu-manpage.html */
function leaveOutUsual(facts: Facts, vcpus: number): void {
  const usual: readonly (readonly [RegExp, string])[] = [
    [/^device disk .*: write-cache$/, "on"],
    [/^device disk .*: num-queues$/, `${vcpus}`],
    [/^device virtio-scsi.*: num_queues$/, `${vcpus}`],
    [/^device graphics card: vgamem_mb$/, "16"],
    [/^device graphics card: max_outputs$/, "1"],
    [/^device intel-iommu: caching-mode$/, "off"],
    [/^device intel-iommu: aw-bits$/, "39"],
    [/^device virtio-mem: block-size$/, `${2 ** 21}`],
    [/^global kvm-pit.lost_tick_policy$/, "delay"],
    [/^global ICH9-LPC.disable_s4$/, "0"],
    [/^device port .*: hotplug$/, "on"],
    [/^action watchdog$/, "reset"],
    [/^smbios 1 uuid$/, facts.get("uuid") ?? ""],
  ];
  for (const [fact, value] of [...facts]) {
    if (usual.some(([name, same]) => name.test(fact) && same === value)) facts.delete(fact);
  }
}

/** Ids that devices name. */
function usedIds(options: readonly Option[]): Set<string> {
  return new Set(
    options.flatMap(({ name, properties }) =>
      name === "device" || name === "tpmdev" || name === "netdev"
        ? ["chardev", "rng", "memdev", "netdev", "secret"].flatMap((key) => properties.get(key) ?? [])
        : [],
    ),
  );
}

function readMachine(options: readonly Option[], facts: Facts): void {
  const machine = options.find(({ name }) => name === "machine");
  facts.set("machine type", machine?.head ?? "");
  const has = (name: string) => options.some((option) => option.name === name);
  if (has("no-acpi")) facts.set("machine acpi", "off");
  // Both are on unless the command line says otherwise.
  facts.set("machine hpet", has("no-hpet") ? "off" : "on");
  for (const [key, value] of machine?.properties ?? []) {
    if (key === "accel") facts.set("accelerator", value.split(":")[0] ?? "");
    else if (!["memory-backend", "pflash0", "pflash1", "mem-merge"].includes(key))
      facts.set(`machine ${key.replaceAll("-", "_")}`, value);
  }
  const accel = options.find(({ name }) => name === "accel")?.head;
  if (accel !== undefined) facts.set("accelerator", accel);
}

/** The two flash chips, by -drive or by block nodes that the machine names. */
function readFirmware(options: readonly Option[], facts: Facts): void {
  const machine = options.find(({ name }) => name === "machine");
  const nodes = options.filter(({ name }) => name === "blockdev");
  const node = (id: string | undefined) => nodes.find(({ properties }) => properties.get("node-name") === id);
  for (const [unit, what] of ["code", "variables"].entries()) {
    const drive = options.find(
      ({ name, properties }) =>
        name === "drive" && properties.get("if") === "pflash" && properties.get("unit") === `${unit}`,
    );
    const format = node(machine?.properties.get(`pflash${unit}`));
    const file =
      drive?.properties.get("file") ?? node(format?.properties.get("file"))?.properties.get("filename");
    if (file !== undefined) facts.set(`firmware ${what}`, file);
  }
}
