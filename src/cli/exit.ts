/** How the program ends. A refusal's status comes from its codes, in src/errors/codes.ts. */
export const exitStatus = {
  done: 0,
  /** The host or the VM refused. */
  refused: 1,
  /** Wrong usage or an invalid profile. */
  usage: 2,
  /** Our bug. */
  bug: 70,
  /** As shells have it for a program that SIGINT ended. */
  interrupted: 130,
} as const;
