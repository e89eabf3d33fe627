/**
 * Runs work that SIGINT, SIGTERM and SIGHUP abort in good order, instead of ending the program halfway.
 * @param work gets a signal that aborts at the first of them, and one that aborts at the second
 */
export async function untilInterrupted<T>(
  work: (first: AbortSignal, second: AbortSignal) => Promise<T>,
): Promise<T> {
  const first = new AbortController();
  const second = new AbortController();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const abort = (signal: NodeJS.Signals) => {
    const controller = first.signal.aborted ? second : first;
    controller.abort(new Error(`stopped by ${signal}`));
  };
  for (const signal of signals) process.on(signal, abort);
  try {
    return await work(first.signal, second.signal);
  } finally {
    for (const signal of signals) process.off(signal, abort);
  }
}
