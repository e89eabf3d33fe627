import type { Row, Verification } from "../verify/index.ts";
import { counted, printable, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

const titles: Readonly<Record<Row["kind"], string>> = {
  cell: "cell",
  core: "vCPUs",
  device: "device",
  passed: "passed through",
};
/** Facts whose plan says less than what is seen: only the latter is shown. */
const seenOnly = new Set(["BARs"]);

/** `qlaunch verify`: a line a thing, each fact as planned and as seen, and the verdict. */
export function renderVerification(verification: Verification, style: Style): string[] {
  const { rows, same, kernel, uptimeSeconds } = verification;
  const kinds = (["cell", "core", "device", "passed"] as const).filter((kind) =>
    rows.some((row) => row.kind === kind),
  );
  const different = rows.filter((row) => !row.same).length;
  const verdict = same
    ? style.colors.green("The guest sees what was planned.")
    : style.colors.red(`Not as planned: ${different} of ${counted(rows.length, "fact")}.`);
  return [
    ...kinds.flatMap((kind) => [...renderKind(kind, rows, style), ""]),
    `${verdict} Linux ${printable(kernel)}, up ${uptimeSeconds} s.`,
  ];
}

interface Thing {
  readonly what: string;
  readonly facts: ReadonlyMap<string, Row>;
  readonly same: boolean;
}

function renderKind(kind: Row["kind"], rows: readonly Row[], style: Style): string[] {
  const own = rows.filter((row) => row.kind === kind);
  const facts = [...new Set(own.map(({ fact }) => fact))];
  const things = [...new Set(own.map(({ what }) => what))].map((what): Thing => {
    const ofThing = own.filter((row) => row.what === what);
    return {
      what,
      facts: new Map(ofThing.map((row) => [row.fact, row])),
      same: ofThing.every(({ same }) => same),
    };
  });
  const columns: Column<Thing>[] = [
    { header: titles[kind], value: ({ what }) => what },
    ...facts.flatMap((fact): Column<Thing>[] => {
      const seen = (thing: Thing) => thing.facts.get(fact)?.seen;
      if (seenOnly.has(fact)) return [{ header: fact, value: seen }];
      return [
        { header: fact, value: (thing) => thing.facts.get(fact)?.planned },
        { header: "seen", value: seen },
      ];
    }),
    { header: "same", value: ({ same }) => (same ? "yes" : "NO") },
  ];
  return renderTable(things, columns, style);
}
