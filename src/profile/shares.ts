import { z } from "zod";
import { hostPath, identifier, patterned } from "./scalars.ts";

/** Folders of the host that the guest can mount. */
export const filesystem = z.strictObject({
  id: identifier,
  type: z.enum(["9p", "virtiofs"]).default("virtiofs"),
  path: hostPath.meta({ description: "Folder of the host." }),
  tag: patterned(/^[A-Za-z0-9._-]{1,31}$/, {
    needed: "1 to 31 letters, digits, dots, dashes or underlines",
    fix: "shorten the tag, or leave the key out",
  })
    .optional()
    .meta({ description: "What the guest mounts it by. Default: the id." }),
  readOnly: z.boolean().default(false),
  securityModel: z.enum(["mapped-xattr", "mapped-file", "passthrough", "none"]).default("mapped-xattr").meta({
    description: "9p only: how file owners are kept. Default mapped-xattr.",
  }),
  bus: identifier.optional(),
});
