import { type System, SystemError } from "../system/index.ts";

/** Raised when what is kept changes its shape. */
const format = 1;

/** In characters: file systems take 255, with the ending and what a temporary name adds. */
const longestName = 200;

/**
 * What was found out about programs, kept between commands: one JSON file a subject in
 * ${XDG_CACHE_HOME:-~/.cache}/qlaunch/qemu. It only ever saves time: a file that is missing, broken, for another key
 * or not ours counts as nothing, and a folder that cannot be written is no error.
 */
export interface Cache {
  /** @returns what was kept for this subject under the same key, or undefined */
  get(subject: string, key: unknown): unknown;
  set(subject: string, key: unknown, value: unknown): void;
}

export function openCache(system: System): Cache {
  const folder = cacheFolder(system);
  if (folder === undefined) return { get: () => undefined, set: () => {} };
  const pathOf = (subject: string) => `${folder}/${fileNameOf(subject)}.json`;
  return {
    get(subject, key) {
      const path = pathOf(subject);
      const facts = system.files.facts(path, { followLinks: false });
      if (facts?.kind !== "file" || facts.uid !== system.user.uid) return undefined;
      const entry = parse(system.files.tryReadText(path));
      return entry?.key === keyText(subject, key) ? entry.value : undefined;
    },
    set(subject, key, value) {
      try {
        makeFolders(system, folder);
        system.files.writeAtomically(
          pathOf(subject),
          `${JSON.stringify({ key: keyText(subject, key), value })}\n`,
          0o600,
        );
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
      }
    },
  };
}

/** A name that says what is in the file. Two subjects that end alike have one file, and the key tells whose it is. */
function fileNameOf(subject: string): string {
  return encodeURIComponent(subject).slice(-longestName);
}

/** @see https://specifications.freedesktop.org/basedir-spec/latest/ (a relative path there is to be ignored) */
function cacheFolder(system: System): string | undefined {
  const { XDG_CACHE_HOME: given, HOME: home } = system.user.environment;
  if (given?.startsWith("/")) return `${given}/qlaunch/qemu`;
  return home?.startsWith("/") ? `${home}/.cache/qlaunch/qemu` : undefined;
}

function makeFolders(system: System, folder: string): void {
  const parts = folder.split("/");
  for (let length = 2; length <= parts.length; length++) {
    const path = parts.slice(0, length).join("/");
    if (system.files.facts(path) !== undefined) continue;
    try {
      system.files.makeDirectory(path, 0o700);
    } catch (error) {
      // Another command may have made it in between.
      if (!(error instanceof SystemError && error.code === "EEXIST")) throw error;
    }
  }
}

function keyText(subject: string, key: unknown): string {
  return JSON.stringify({ format, subject, key });
}

function parse(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === "object" && data !== null ? (data as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
