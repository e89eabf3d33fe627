import type { ReportLine } from "../../src/import/libvirt/index.ts";
import type { ListedDifference } from "./differences.ts";
import type { Facts } from "./facts.ts";

/** A fact that two command lines do not share; undefined where one does not say it. */
export interface Difference {
  readonly fact: string;
  readonly libvirt: string | undefined;
  readonly ours: string | undefined;
}

/** A device that one side does not have is one difference, with all that is said of it. */
export function differencesOf(libvirt: Facts, ours: Facts): Difference[] {
  const isAlone = (fact: string) => isMissing(fact, libvirt) || isMissing(fact, ours);
  return [...new Set([...libvirt.keys(), ...ours.keys()])]
    .map((fact) => ({ fact, libvirt: libvirt.get(fact), ours: ours.get(fact) }))
    .filter((each) => each.libvirt !== each.ours && !isAlone(each.fact));
}

/** Whether a fact says more of a device that these facts do not have. */
function isMissing(fact: string, facts: Facts): boolean {
  const device = fact.slice(0, fact.lastIndexOf(": "));
  return fact.startsWith("device ") && fact !== `${device}: is` && !facts.has(`${device}: is`);
}

/** The entries of the list that a difference is on. */
export function entriesFor(difference: Difference, list: readonly ListedDifference[]): ListedDifference[] {
  return list.filter(
    ({ fact, libvirt, ours }) =>
      fact.test(difference.fact) && fits(libvirt, difference.libvirt) && fits(ours, difference.ours),
  );
}

function fits(wanted: RegExp | null | undefined, value: string | undefined): boolean {
  if (wanted === undefined) return true;
  return wanted === null ? value === undefined : value !== undefined && wanted.test(value);
}

/** Whether the report says so to the user, where the guest sees it. */
export function isTold({ told }: ListedDifference, report: readonly ReportLine[]): boolean {
  return (
    told === undefined ||
    report.some(({ verdict, path, note }) => verdict !== "kept" && told.test(`${path}: ${note}`))
  );
}

export function describeDifference({ fact, libvirt, ours }: Difference): string {
  return `${fact}: ${libvirt ?? "nothing"} by libvirt, ${ours ?? "nothing"} by qlaunch`;
}
