import type {
  BlockdevOption,
  ChardevOption,
  FsdevOption,
  NetdevOption,
  TpmdevOption,
} from "../plan/index.ts";
import { formatProperties } from "./escape.ts";

/** -blockdev driver=,node-name=,... @see https://www.qemu.org/docs/master/system/qemu-block-drivers.html @see src/plan/disks.ts */
export function formatBlockdev({ driver, nodeName, properties }: BlockdevOption): string {
  return formatProperties({ driver, "node-name": nodeName, ...properties }).join(",");
}

/** -netdev TYPE,id=,... @see https://www.qemu.org/docs/master/system/devices/net.html @see src/plan/networks.ts */
export function formatNetdev({ type, id, properties }: NetdevOption): string {
  return [type, ...formatProperties({ id, ...properties })].join(",");
}

/** -chardev BACKEND,id=,... @see https://www.qemu.org/docs/master/system/invocation.html @see src/plan/consoles.ts */
export function formatChardev({ backend, id, properties }: ChardevOption): string {
  return [backend, ...formatProperties({ id, ...properties })].join(",");
}

/** -fsdev DRIVER,id=,... @see https://wiki.qemu.org/Documentation/9psetup @see src/plan/shares.ts */
export function formatFsdev({ driver, id, properties }: FsdevOption): string {
  return [driver, ...formatProperties({ id, ...properties })].join(",");
}

/** -tpmdev TYPE,id=,... @see https://www.qemu.org/docs/master/specs/tpm.html @see src/plan/devices.ts */
export function formatTpmdev({ type, id, properties }: TpmdevOption): string {
  return [type, ...formatProperties({ id, ...properties })].join(",");
}
