import type { ObjectOption } from "../plan/index.ts";
import { formatProperties } from "./escape.ts";

/** -object TYPE,id=... @see https://www.qemu.org/docs/master/system/invocation.html @see src/plan/memory.ts */
export function formatObject({ qomType, id, properties }: ObjectOption): string {
  return [qomType, ...formatProperties({ id, ...properties })].join(",");
}
