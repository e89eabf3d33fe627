const longestTimerMs = 2 ** 31 - 1;

/**
 * Runs `action` once after `timeoutMs`, unless the function that it returns is called first.
 * Undefined, 0 and anything longer than 24 days mean never.
 */
export function startTimer(timeoutMs: number | undefined, action: () => void): () => void {
  if (timeoutMs === undefined || timeoutMs === 0 || timeoutMs > longestTimerMs) return () => {};
  assertTimeout(timeoutMs);
  const timer = setTimeout(action, timeoutMs);
  return () => clearTimeout(timer);
}

/** Throws a RangeError for a time limit that is negative or not a number. */
export function assertTimeout(timeoutMs: number): void {
  if (!(timeoutMs >= 0)) throw new RangeError(`a time limit of ${timeoutMs} ms; it is 0 (none) or more`);
}

/** Limits of one wait. */
export interface WaitOptions {
  /** In milliseconds; 0 is no limit. */
  readonly timeoutMs?: number;
  /** Ends the wait with the signal's reason. */
  readonly signal?: AbortSignal;
}
