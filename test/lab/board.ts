import { acs } from "./acs.ts";
import type { Suite } from "./checks.ts";
import { passthrough } from "./passthrough.ts";

/** All that the simulated HGX board is for, on one of them: its boot takes as long as several checks. */
export const board: Suite = {
  host: "lab-hgx",
  timeoutSeconds: passthrough.timeoutSeconds + acs.timeoutSeconds,
  explain: async () => `${await passthrough.explain()}\n${await acs.explain()}`,
  checks: [...passthrough.checks, ...acs.checks],
};
