import { refusal } from "../errors/index.ts";
import type { QmpClient } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import { askQemu, QemuSilent } from "./ask-qemu.ts";
import type { Cache } from "./cache.ts";
import type { QemuBinary } from "./qemu-binary.ts";
import type { MachineType, QemuFacts } from "./topology.ts";

/** What QEMU can do, as far as it was asked before. The program may have other names now; that is not kept. */
export function cachedQemuFacts(cache: Cache, binary: QemuBinary): QemuFacts | undefined {
  const facts = cache.get(subjectOf(binary), binary.identity);
  return isQemuFacts(facts) ? { ...facts, binary: binary.path } : undefined;
}

/**
 * Asks QEMU what it is and can do, in one start without a machine.
 * @throws QlaunchError QEMU_UNUSABLE
 * @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html
 */
export async function probeQemu(system: System, cache: Cache, binary: QemuBinary): Promise<QemuFacts> {
  try {
    const facts = await askQemu(system, binary.path, ["-machine", "none", "-S"], (client) =>
      readFacts(client, binary.path),
    );
    cache.set(subjectOf(binary), binary.identity, facts);
    return facts;
  } catch (error) {
    if (!(error instanceof QemuSilent)) throw error;
    throw refusal(
      "QEMU_UNUSABLE",
      {
        found: `${binary.path} does not answer`,
        needed: "a QEMU for x86_64, 7.2 or newer, that starts with -machine none",
        fix: `run it by hand to see why: ${binary.path} -machine none -display none -S`,
        detail: error.message,
      },
      { cause: error },
    );
  }
}

/** A file that was cut short or edited has no right to be believed; deeper than this only malice goes. */
function isQemuFacts(value: unknown): value is QemuFacts {
  const facts = value as Partial<QemuFacts> | undefined;
  const lists = [
    facts?.machines,
    facts?.devices,
    facts?.objects,
    facts?.commands,
    facts?.events,
    facts?.cpuModels,
  ];
  return typeof facts?.version?.major === "number" && lists.every((list) => Array.isArray(list));
}

function subjectOf(binary: QemuBinary): string {
  return `qemu ${binary.identity.realPath}`;
}

const cpuTypeEnding = "-x86_64-cpu";

async function readFacts(client: QmpClient, binary: string): Promise<QemuFacts> {
  const [version, machines, devices, schema, cpuModels] = await Promise.all([
    client.execute("query-version"),
    client.execute("query-machines"),
    client.execute("qom-list-types", { implements: "device", abstract: false }),
    client.execute("query-qmp-schema"),
    client.execute("query-cpu-definitions"),
  ]);
  const { major, minor, micro } = version.qemu;
  const entities: readonly SchemaEntity[] = schema;
  return {
    binary,
    version: { major, minor, micro, package: version.package },
    machines: machines
      .map(
        (machine): MachineType => ({
          name: machine.name,
          ...(machine.alias === undefined ? {} : { alias: machine.alias }),
          cpuMax: machine["cpu-max"],
          deprecated: machine.deprecated,
        }),
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    devices: sortedNames(devices).filter((name) => !name.endsWith(cpuTypeEnding)),
    objects: objectTypes(entities),
    commands: sortedNames(entities.filter((entity) => entity["meta-type"] === "command")),
    events: sortedNames(entities.filter((entity) => entity["meta-type"] === "event")),
    cpuModels: sortedNames(cpuModels),
  };
}

/** One entry of query-qmp-schema, as far as it is read here. */
interface SchemaEntity {
  readonly name: string;
  readonly "meta-type": string;
  readonly "arg-type"?: string;
  readonly variants?: readonly { readonly case: string }[];
}

/** The argument of object-add is a union with one case for each type of object. */
function objectTypes(entities: readonly SchemaEntity[]): string[] {
  const command = entities.find((entity) => entity.name === "object-add");
  const argument = entities.find((entity) => entity.name === command?.["arg-type"]);
  return (argument?.variants ?? []).map((variant) => variant.case).sort();
}

function sortedNames(entries: readonly { readonly name: string }[]): string[] {
  return entries.map((entry) => entry.name).sort();
}
