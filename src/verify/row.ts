/** One fact of one thing: as planned, and as the guest sees it. */
export interface Row {
  readonly kind: "cell" | "core" | "device" | "passed";
  /** The cell's number, the core's vCPUs, the id of a device or of a passed-through one. */
  readonly what: string;
  readonly fact: string;
  /** Undefined where the plan says nothing; then it is the same. */
  readonly planned: string | undefined;
  /** Undefined when the guest does not have it. */
  readonly seen: string | undefined;
  readonly same: boolean;
}

/** Makes rows of one thing, which are the same when their two texts are. */
export function rowsOf(kind: Row["kind"], what: string) {
  return (fact: string, planned: string | undefined, seen: string | undefined): Row => ({
    kind,
    what,
    fact,
    planned,
    seen,
    same: planned === undefined || planned === seen,
  });
}
