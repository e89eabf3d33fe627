import { SystemError } from "./system.ts";

/** Gives Node's own errors the one class that the rooms know. */
export function guard<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asSystemError(error);
  }
}

export function asSystemError(error: unknown): unknown {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return new SystemError(error.code, error.message, { cause: error });
  }
  return error;
}

/**
 * What a call gave, unless it failed.
 * @param result a negative one is the number of an error
 * @throws SystemError that names the call
 */
export function must<T>(result: T | number, call: string, ...paths: string[]): T {
  if (typeof result === "number" && result < 0) throw failedCall(-result, call, ...paths);
  return result as T;
}

/** @returns undefined when the kernel refused */
export function may<T>(result: T | number): T | undefined {
  return typeof result === "number" && result < 0 ? undefined : (result as T);
}

/** In the words of Node's own errors. */
function failedCall(error: number, call: string, ...paths: string[]): SystemError {
  const [code, words] = errorWords(error);
  const called = paths.length === 0 ? call : `${call} '${paths.join("' -> '")}'`;
  return new SystemError(code, `${code}: ${words}, ${called}`);
}

/** The kernel's name for an error, such as ENOENT for 2. */
export const errorName = (error: number): string => errorWords(error)[0];

function errorWords(error: number): [string, string] {
  // Loaded when something failed: it takes longer than what it is needed for.
  const { getSystemErrorMap } = process.getBuiltinModule("node:util");
  return getSystemErrorMap().get(-error) ?? [`E${error}`, `error ${error}`];
}
