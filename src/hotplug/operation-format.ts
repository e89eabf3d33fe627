import { endStates, type Operation, operationKinds, pendingStates } from "./operation.ts";

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && words.includes(value);
const shape = (checks: Readonly<Record<string, Check>>): Check => {
  const entries = Object.entries(checks);
  return (value) => isObject(value) && entries.every(([key, check]) => check(value[key]));
};
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

const state = oneOf(...pendingStates, ...endStates);

/** One check for each member; the compiler tells when one is forgotten. */
const checks: Readonly<Record<keyof Operation, Check>> = {
  format: (value) => value === 1,
  id: text,
  kind: oneOf(...operationKinds),
  subject: text,
  request: (value) => isObject(value),
  state,
  history: (value) => Array.isArray(value) && value.every(shape({ state, atMs: count, note: text })),
  worker: orNull(shape({ pid: count, startTimeTicks: count })),
  problem: orNull(shape({ code: text, severity: text, found: text, needed: text, fix: text })),
};

/** Reads the text of an operation's file, trusting nothing in it. @returns what is wrong with it as text */
export function parseOperation(source: string): Operation | string {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    return "it is not JSON";
  }
  if (!isObject(value)) return "it holds no object";
  if (typeof value.format === "number" && value.format > 1) {
    return `it has format ${value.format}; this program reads format 1`;
  }
  const wrong = Object.entries(checks).find(([key, check]) => !check(value[key]));
  return wrong === undefined ? (value as unknown as Operation) : `"${wrong[0]}" in it is not as it must be`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
