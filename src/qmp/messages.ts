import type { AnyQmpEvent } from "./events.ts";

/** Who answers, as said in the greeting. */
export interface QmpGreeting {
  readonly version: {
    readonly qemu: { readonly major: number; readonly minor: number; readonly micro: number };
    /** The packager's words, often empty. */
    readonly package: string;
  };
  /** What can be asked for in the negotiation; QEMU offers `oob`. */
  readonly capabilities: readonly string[];
}

/** An answer to one command. */
export interface Reply {
  readonly id: unknown;
  readonly outcome:
    | { readonly ok: true; readonly value: unknown }
    | { readonly ok: false; readonly class: string; readonly desc: string }
    | { readonly ok: "malformed" };
  readonly received: unknown;
}

export type Message =
  | { readonly kind: "greeting"; readonly greeting: QmpGreeting }
  | { readonly kind: "reply"; readonly reply: Reply }
  | { readonly kind: "event"; readonly event: AnyQmpEvent }
  | { readonly kind: "unknown" };

/** Tells what a received JSON value is by its keys, as the specification lays down. */
export function classify(value: unknown): Message {
  if (!isRecord(value)) return { kind: "unknown" };
  if (typeof value.event === "string") return { kind: "event", event: readEvent(value.event, value) };
  if ("error" in value || "return" in value) return { kind: "reply", reply: readReply(value) };
  const greeting = readGreeting(value.QMP);
  return greeting === undefined ? { kind: "unknown" } : { kind: "greeting", greeting };
}

function readEvent(event: string, value: Record<string, unknown>): AnyQmpEvent {
  const timestamp = isRecord(value.timestamp) ? value.timestamp : {};
  return {
    event,
    data: isRecord(value.data) ? value.data : {},
    timestamp: { seconds: readNumber(timestamp.seconds), microseconds: readNumber(timestamp.microseconds) },
  };
}

function readReply(value: Record<string, unknown>): Reply {
  const { id } = value;
  if (!("error" in value)) return { id, outcome: { ok: true, value: value.return }, received: value };
  const { error } = value;
  if (!isRecord(error) || typeof error.class !== "string" || typeof error.desc !== "string") {
    return { id, outcome: { ok: "malformed" }, received: value };
  }
  return { id, outcome: { ok: false, class: error.class, desc: error.desc }, received: value };
}

function readGreeting(value: unknown): QmpGreeting | undefined {
  if (!isRecord(value) || !isRecord(value.version) || !isRecord(value.version.qemu)) return undefined;
  const { major, minor, micro } = value.version.qemu;
  return {
    version: {
      qemu: { major: readNumber(major), minor: readNumber(minor), micro: readNumber(micro) },
      package: typeof value.version.package === "string" ? value.version.package : "",
    },
    capabilities: Array.isArray(value.capabilities)
      ? value.capabilities.filter((capability) => typeof capability === "string")
      : [],
  };
}

/** QEMU itself writes -1 for a time that it does not know. */
function readNumber(value: unknown): number {
  return typeof value === "number" ? value : -1;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
