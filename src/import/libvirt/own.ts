import { profileSchema } from "../../profile/schema.ts";
import type { ProfileDraft } from "./context.ts";
import type { Reading } from "./reading.ts";
import { unsaidOf } from "./unsaid.ts";

/** The namespace of what `qlaunch plan --format libvirt` writes into a domain's metadata. */
export const ownNamespace = "urn:qlaunch:profile:1";
const own = `{${ownNamespace}}`;

/** Parts of a profile that libvirt has no element for, as qlaunch left them in the metadata. */
export class OwnWords {
  private readonly root: Reading | undefined;

  constructor(domain: Reading) {
    this.root = domain.one("metadata")?.one(`${own}profile`);
  }

  /** Whether qlaunch wrote the domain. */
  isThere(): boolean {
    return this.root !== undefined;
  }

  /** The names of I/O threads, which libvirt numbers. */
  iothreadNames(): ReadonlyMap<number, string> {
    const names = new Map<number, string>();
    for (const thread of this.root?.all(`${own}iothread`) ?? []) {
      const [id, name] = [thread.attribute("id") ?? "", thread.attribute("name") ?? ""];
      const isFree = ![...names.values()].includes(name);
      if (/^\d{1,4}$/.test(id) && /^[A-Za-z][A-Za-z0-9._-]{0,23}$/.test(name) && isFree) {
        names.set(Number(id), name);
      } else thread.drop("a number and a name that no other I/O thread has are needed");
    }
    return names;
  }

  /** The paths that are there, for what would be told as lost otherwise. */
  has(path: string): boolean {
    return (this.root?.all(`${own}part`) ?? []).some((part) => part.attribute("path") === path);
  }

  /** Puts them in, each only if the profile stays one; libvirt's own elements count where it has a word. */
  applyTo(profile: ProfileDraft): ProfileDraft {
    let current =
      this.root?.one(`${own}boot`)?.attribute("first") === "0" ? bootingFromZero(profile) : profile;
    for (const part of this.root?.all(`${own}part`) ?? []) {
      const next = withPart(current, part);
      if (typeof next === "string") part.drop(next);
      else current = next;
    }
    return current;
  }
}

/** The domain's places in the boot order are one later than the profile's, since libvirt counts from 1. */
function bootingFromZero(profile: ProfileDraft): ProfileDraft {
  const earlier = <Device extends { boot?: number | undefined }>(device: Device) =>
    device.boot === undefined || device.boot === 0 ? device : { ...device, boot: device.boot - 1 };
  const { disks = [], networks = [] } = profile;
  return { ...profile, disks: disks.map(earlier), networks: networks.map(earlier) };
}

/** The profile with a part, or why it cannot have it. */
function withPart(profile: ProfileDraft, part: Reading): ProfileDraft | string {
  const steps = (part.attribute("path") ?? "").split("/");
  const value = jsonOf(part.text() ?? "");
  if (value === undefined) return "its text is not JSON";
  if (!unsaidOf(steps, value)) return "libvirt has an element for it, which counts";
  const changed = structuredClone(profile);
  if (!put(changed, steps, value)) return "the profile has no such place";
  const problem = profileSchema.safeParse(changed).error?.issues[0];
  // What was wrong before is not this part's fault.
  if (problem && profileSchema.safeParse(profile).success) return `no part of a profile: ${problem.message}`;
  return changed;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Sets what the steps lead to, or takes it away when it is null. @returns whether they lead somewhere */
function put(root: object, steps: readonly string[], value: unknown): boolean {
  const last = steps.at(-1);
  let at: unknown = root;
  for (const step of steps.slice(0, -1)) {
    if (Array.isArray(at)) at = at.find((item, index) => keyOf(item, index) === step);
    else if (isObject(at) && isKey(step)) {
      // "true" is short for an object of defaults.
      if (!Object.hasOwn(at, step) || at[step] === true) at[step] = {};
      at = at[step];
    } else return false;
  }
  if (!isObject(at) || last === undefined || !isKey(last)) return false;
  if (value === null) delete at[last];
  else at[last] = value;
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isKey(step: string): boolean {
  return step !== "" && step !== "__proto__";
}

/** What an item of a list is found by: its id, else its number. */
export function keyOf(item: unknown, index: number): string {
  if (!isObject(item)) return String(index);
  const id = ["id", "rootPort", "port", "expander"].map((key) => item[key]).find((key) => key !== undefined);
  return typeof id === "string" ? id : String(index);
}
