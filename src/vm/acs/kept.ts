import { refusal } from "../../errors/index.ts";
import { type Files, join } from "../../system/index.ts";
import { formatPciAddress, parsePciAddress } from "../../units/index.ts";
import { readBootId } from "../record.ts";

/** Control registers as they were before they were changed for the first time, by the ports' addresses. */
export type KeptControls = ReadonlyMap<string, number>;

/** Beside the VMs; no VM can have the name. */
const fileOf = (root: string) => join(root, ".acs.json");

/**
 * What was kept since the machine started: a reset of the machine resets its ports.
 * @throws QlaunchError HOST_ACS for a file that is broken
 */
export function readKept(files: Files, root: string): KeptControls {
  const text = files.tryReadText(fileOf(root));
  if (text === undefined) return new Map();
  const value = parse(text);
  if (value === undefined) {
    throw refusal("HOST_ACS", {
      found: `${fileOf(root)}, which tells what ports had before, is broken`,
      needed: "the file as it was written",
      fix: `remove it; the ports have their own settings again after a restart of the machine`,
    });
  }
  return value.bootId === readBootId(files) ? new Map(Object.entries(value.controls)) : new Map();
}

/** Private, and whole at any time; without entries there is no file. */
export function writeKept(files: Files, root: string, kept: KeptControls): void {
  if (kept.size === 0) {
    files.remove(fileOf(root));
    return;
  }
  const value: Kept = { version: 1, bootId: readBootId(files), controls: Object.fromEntries(kept) };
  files.writeAtomically(fileOf(root), `${JSON.stringify(value)}\n`, 0o600);
}

interface Kept {
  readonly version: 1;
  readonly bootId: string;
  readonly controls: Readonly<Record<string, number>>;
}

function parse(text: string): Kept | undefined {
  try {
    const value = JSON.parse(text) as Partial<Kept> | null;
    const controls = Object.entries(value?.controls ?? { none: -1 });
    const isWhole = value?.version === 1 && typeof value.bootId === "string" && controls.every(isControl);
    return isWhole ? (value as Kept) : undefined;
  } catch {
    return undefined;
  }
}

/** The address becomes a part of a path, and the number a register. */
function isControl([address, control]: [string, unknown]): boolean {
  const parsed = parsePciAddress(address);
  if (parsed === undefined || formatPciAddress(parsed) !== address) return false;
  return Number.isInteger(control) && (control as number) >= 0 && (control as number) <= 0xffff;
}
