import * as z from "zod";
import { hostPath, identifier, patterned } from "./scalars.ts";

/** Folders of the host that the guest can mount. */
export const filesystem = z.strictObject({
  id: identifier.meta({ description: "Its name in the plan and in QEMU; unique in the profile." }),
  type: z
    .enum(["9p", "virtiofs"])
    .default("virtiofs")
    .meta({ description: "virtiofs (virtiofsd serves it) or 9p (QEMU itself). Default virtiofs." }),
  path: hostPath.meta({ description: "Folder of the host." }),
  tag: patterned(/^[A-Za-z0-9._/-]{1,31}$/, {
    needed: "1 to 31 letters, digits, dots, dashes, underlines or slashes",
    fix: "shorten the tag, or leave the key out",
  })
    .optional()
    .meta({ description: "What the guest mounts it by. Default: the id." }),
  readOnly: z.boolean().default(false).meta({ description: "Keep the guest from writing. Default false." }),
  securityModel: z.enum(["mapped-xattr", "mapped-file", "passthrough", "none"]).default("mapped-xattr").meta({
    description: "9p only: how file owners are kept. Default mapped-xattr.",
  }),
  bus: identifier.optional().meta({ description: "The port it sits on. Default: one of its own on pcie.0." }),
});
