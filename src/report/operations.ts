import type { Drift, Operation, OperationSummary } from "../hotplug/index.ts";
import { printable, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

/** `qlaunch ops`: one operation a line; below, why some of them failed. */
export function renderOperations(operations: readonly OperationSummary[], style: Style): string[] {
  if (operations.length === 0) return ["no operation"];
  const columns: Column<OperationSummary>[] = [
    { header: "id", value: ({ id }) => id, align: "right" },
    { header: "kind", value: ({ kind }) => kind },
    { header: "what", value: ({ subject }) => subject },
    { header: "state", value: describeState },
    { header: "since", value: ({ history }) => when(history.at(-1)?.atMs) },
    { header: "note", value: ({ history }) => history.at(-1)?.note },
  ];
  const problems = operations.flatMap(({ id, problem }) =>
    problem === null ? [] : [`${id}: ${problem.code} ${printable(problem.found)}; ${printable(problem.fix)}`],
  );
  return [...renderTable(operations, columns, style), ...(problems.length > 0 ? ["", ...problems] : [])];
}

/** One operation, after a command went on with it. */
export function renderOperation({ id, subject, state, history }: Operation): string {
  const note = history.at(-1)?.note;
  return printable(`operation ${id} (${subject}): ${state}${note ? `; ${note}` : ""}`);
}

/** `qlaunch info --drift`: what differs from the plan, a line each. */
export function renderDrift(drift: readonly Drift[], style: Style): string[] {
  if (drift.length === 0) return ["everything is as planned"];
  return renderTable(
    drift,
    [
      { header: "what", value: ({ what }) => what },
      { header: "planned", value: ({ planned }) => planned },
      { header: "found", value: ({ found }) => found },
      { header: "by operation", value: ({ operation }) => operation, align: "right" },
    ],
    style,
  );
}

const activities = {
  working: "a command is at it",
  left: "pending",
  "cut-off": "cut off",
  ended: "",
} as const;

function describeState({ state, activity }: OperationSummary): string {
  return activities[activity] === "" ? state : `${state} (${activities[activity]})`;
}

function when(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString();
}
