import type { QmpClient } from "../qmp/index.ts";

/** What asks and changes a running QEMU. */
export type LiveMonitor = Pick<QmpClient, "execute" | "executeRaw" | "listen" | "state">;

/** Shorter than any pause between two looks at what a guest does. */
const recentMs = 50;

/** Commands that change nothing, and answer the same as long as nothing changes. */
const isQuestion = (name: string) => name.startsWith("query-") || questions.has(name);

const questions = new Set(["qom-get", "qom-list", "qom-list-types", "device-list-properties"]);

/**
 * A monitor that asks each question once: steps of a change that look at the same list do not wait for QEMU each. An
 * answer is forgotten after 50 ms, when an event comes, and when a command is sent that may change something.
 * @param elapsedMs a clock that never jumps
 */
export function withRecentAnswers(qmp: QmpClient, elapsedMs: () => number): LiveMonitor {
  const answers = new Map<string, { readonly result: Promise<unknown>; readonly askedMs: number }>();
  qmp.listen(undefined, () => {
    answers.clear();
    return false;
  });
  const ask = (name: string, args: unknown, send: () => Promise<unknown>): Promise<unknown> => {
    if (!isQuestion(name)) {
      answers.clear();
      return send();
    }
    const key = `${name} ${JSON.stringify(args ?? {})}`;
    const known = answers.get(key);
    if (known !== undefined && elapsedMs() - known.askedMs < recentMs) return known.result;
    const result = send();
    answers.set(key, { result, askedMs: elapsedMs() });
    // Whoever awaits it is told; a question that was asked ahead may have nobody.
    result.catch(() => answers.delete(key));
    return result;
  };
  const execute = (name: never, args: never, options: never) =>
    ask(name, args, () => qmp.execute(name, args, options));
  return {
    execute: execute as LiveMonitor["execute"],
    executeRaw: (name, args, options) => ask(name, args, () => qmp.executeRaw(name, args, options)),
    listen: qmp.listen.bind(qmp) as LiveMonitor["listen"],
    get state() {
      return qmp.state;
    },
  };
}

/**
 * Puts questions that are asked again soon, so that QEMU has answered by then. Whoever asks again is told what fails.
 * @returns when they are on their way: what is sent goes out at the next pause, and much may be to do before one
 */
export async function askAhead(questions: readonly Promise<unknown>[]): Promise<void> {
  for (const question of questions) question.catch(() => {});
  await undefined;
}
