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

/** The work's result, or undefined when the kernel refuses it. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (asSystemError(error) instanceof SystemError) return undefined;
    throw error;
  }
}
