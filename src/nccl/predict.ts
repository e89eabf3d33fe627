import type { NcclDevice } from "./devices.ts";
import { narrowestGBs, ncclWord, type TopoWord, topoWord } from "./way.ts";

/** What the guest's nvidia-smi and NCCL will say, beside what they say on the host. */
export interface NcclPrediction {
  readonly devices: readonly PredictedDevice[];
  readonly pairs: readonly PredictedPair[];
}

interface PredictedDevice extends Pick<NcclDevice, "name" | "kind" | "id" | "guestAddress" | "hostAddress"> {
  readonly guestNode: number | undefined;
  readonly hostNode: number | undefined;
  /** The narrowest place up to the processor as NCCL counts it; undefined where a link is not known. */
  readonly guestGBs: number | undefined;
  readonly hostGBs: number | undefined;
}

interface PredictedPair {
  /** Names. */
  readonly devices: readonly [string, string];
  /** In the words of nvidia-smi. */
  readonly guest: TopoWord;
  readonly host: TopoWord;
  /** In those of NCCL. */
  readonly nccl: { readonly guest: TopoWord; readonly host: TopoWord };
}

export function predictNccl(devices: readonly NcclDevice[]): NcclPrediction {
  return {
    devices: devices.map(({ name, kind, id, guestAddress, hostAddress, guest, host }) => ({
      ...{ name, kind, id, guestAddress, hostAddress },
      guestNode: guest.node,
      hostNode: host.node,
      guestGBs: narrowestGBs(guest),
      hostGBs: narrowestGBs(host),
    })),
    pairs: devices.flatMap((one, index) =>
      devices.slice(index + 1).map(
        (other): PredictedPair => ({
          devices: [one.name, other.name],
          guest: topoWord(one.guest, other.guest),
          host: topoWord(one.host, other.host),
          nccl: { guest: ncclWord(one.guest, other.guest), host: ncclWord(one.host, other.host) },
        }),
      ),
    ),
  };
}
