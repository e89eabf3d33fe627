/** One thing to see on the simulated host. Checks of a suite run in order, each after the ones before it. */
export interface Check {
  readonly name: string;
  run(): Promise<void>;
}

export interface Suite {
  /** The profile of the simulated host, without its ending. Default lab-host. */
  readonly host?: "lab-host" | "lab-hgx";
  /** How long all of it may take there; several times what it takes on an idle machine. */
  readonly timeoutSeconds: number;
  readonly checks: readonly Check[];
  /** What a failure is to be read with: logs and states, as text. */
  explain(): Promise<string>;
}

/** How the simulated host says what became of a check, one line of JSON each. */
export interface CheckResult {
  readonly check: string;
  readonly seconds: number;
  /** Undefined when it passed. */
  readonly problem?: string;
}

/** Runs the checks, and prints a result for each. After a failure the others are tried all the same. */
export async function runSuite(suite: Suite): Promise<void> {
  for (const { name, run } of suite.checks) {
    const startedMs = Date.now();
    const problem = await run().then(
      () => undefined,
      async (error: unknown) => `${textOf(error)}\n${await suite.explain().catch(textOf)}`,
    );
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    const result: CheckResult = { check: name, seconds, ...(problem === undefined ? {} : { problem }) };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    if (problem !== undefined) process.exitCode = 1;
  }
}

/** The result in a line of output, if it has one. */
export function parseResult(line: string): CheckResult | undefined {
  return line.startsWith('{"check":') ? (JSON.parse(line) as CheckResult) : undefined;
}

const textOf = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));
