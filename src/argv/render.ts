import { unreachable } from "../errors/index.ts";
import type { Plan, QemuOption } from "../plan/index.ts";
import { formatBlockdev, formatChardev, formatFsdev, formatNetdev, formatTpmdev } from "./backends.ts";
import { formatDevice } from "./device.ts";
import { checkBytes, escapeValue, formatProperties } from "./escape.ts";
import { formatMemory } from "./m.ts";
import { formatCpu, formatMachine } from "./machine.ts";
import { formatNumaDistance, formatNumaNode } from "./numa.ts";
import { formatObject } from "./object.ts";
import { formatSmp } from "./smp.ts";

/** One option of the command line: its words, and the decisions they come from. */
export interface ArgvItem {
  readonly words: readonly string[];
  readonly because: readonly string[];
  readonly launcherOnly: boolean;
}

/**
 * What comes first on the command line. Back ends stand before what uses them; devices keep the plan's order, the
 * bus before what hangs on it. extraArgs come last, so that they can override.
 */
const order = [
  "name",
  "uuid",
  "no-user-config",
  "nodefaults",
  "machine",
  "cpu",
  "smp",
  "m",
  "overcommit",
  "object",
  "numa-node",
  "numa-dist",
  "rtc",
  "boot",
  "action",
  "smbios",
  "global",
  "drive",
  "chardev",
  "qmp",
  "blockdev",
  "netdev",
  "fsdev",
  "tpmdev",
  "device",
  "display",
  "vnc",
  "kernel",
  "initrd",
  "append",
  "fw_cfg",
  "sandbox",
  "msg",
  "pidfile",
  "S",
  "extra",
] as const satisfies readonly QemuOption["option"][];

/** The options in the order of the command line, with the decisions behind each. */
export function argvItems(plan: Plan): ArgvItem[] {
  const rank = new Map<string, number>(order.map((option, index) => [option, index]));
  return [...plan.options]
    .sort((a, b) => (rank.get(a.option) ?? 0) - (rank.get(b.option) ?? 0))
    .map((option) => ({
      words: spell(option),
      because: option.because,
      launcherOnly: option.launcherOnly ?? false,
    }));
}

/** QEMU's arguments, the program not among them. The same plan gives the same bytes. */
export function renderArgv(plan: Plan): string[] {
  return argvItems(plan).flatMap((item) => item.words);
}

function spell(option: QemuOption): string[] {
  const value = spellValue(option);
  if (typeof value === "object") return value.map(checkBytes);
  const name = option.option === "numa-node" || option.option === "numa-dist" ? "numa" : option.option;
  return value === undefined ? [`-${name}`] : [`-${name}`, value];
}

function spellValue(option: QemuOption): string | readonly string[] | undefined {
  switch (option.option) {
    case "no-user-config":
    case "nodefaults":
    case "S":
      return undefined;
    case "uuid":
    case "pidfile":
    case "kernel":
    case "initrd":
    case "append":
    case "display":
      // These take the rest of the argument as it is: a comma stands for itself.
      return checkBytes(option.value);
    case "vnc":
      return escapeValue(option.value);
    case "action":
    case "boot":
    case "drive":
    case "fw_cfg":
    case "global":
    case "msg":
    case "name":
    case "overcommit":
    case "rtc":
    case "smbios":
      return formatProperties(option.properties).join(",");
    case "sandbox":
      return ["on", ...formatProperties(option.properties)].join(",");
    case "machine":
      return formatMachine(option);
    case "cpu":
      return formatCpu(option);
    case "smp":
      return formatSmp(option);
    case "m":
      return formatMemory(option);
    case "object":
      return formatObject(option);
    case "numa-node":
      return formatNumaNode(option);
    case "numa-dist":
      return formatNumaDistance(option);
    case "device":
      return formatDevice(option);
    case "blockdev":
      return formatBlockdev(option);
    case "netdev":
      return formatNetdev(option);
    case "chardev":
      return formatChardev(option);
    case "fsdev":
      return formatFsdev(option);
    case "tpmdev":
      return formatTpmdev(option);
    case "qmp":
      return `chardev:${option.chardev}`;
    case "extra":
      return option.arguments;
    default:
      return unreachable(option);
  }
}
