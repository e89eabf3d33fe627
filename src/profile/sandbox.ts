import * as z from "zod";
import { patterned } from "./scalars.ts";

const account = patterned(/^([a-z_][a-z0-9_-]*|[0-9]+)$/, {
  needed: "the name or number of an account",
  fix: 'write a name that "getent passwd" or "getent group" lists',
});

/** What QEMU may do on the host. */
export const sandbox = z.strictObject({
  seccomp: z.boolean().default(true).meta({
    description: "Forbid QEMU new programs, other privileges and obsolete system calls. Default true.",
  }),
  user: account.optional().meta({ description: "Run QEMU as this user (needs root). Default: the caller." }),
  group: account.optional().meta({ description: "Default: the user's own group." }),
  groups: z.array(account).default([]).meta({ description: "Further groups, such as kvm. Default: none." }),
  openFiles: z
    .int()
    .min(64)
    .max(1_048_576)
    .optional()
    .meta({ description: "Limit on open files. Default: inherited." }),
});
