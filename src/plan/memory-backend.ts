import type { Draft } from "./draft.ts";
import type { ObjectOption, Properties } from "./options.ts";
import { isHuge, isPreallocated, preallocThreads } from "./preallocation.ts";
import type { PlacedCell } from "./types.ts";

/** Memory that wants a backend: a cell's at boot, or a device's. */
export interface BackendRequest {
  /** Id of the backend. */
  readonly id: string;
  readonly sizeBytes: number;
  /** Undefined or 4096 for ordinary pages. */
  readonly pageSizeBytes: number | undefined;
  readonly cell: Pick<PlacedCell, "hostNodes" | "policy">;
  /** Id of the thread-context that places the threads which take the pages. */
  readonly preallocContext: string | undefined;
  /** The guest takes and gives pages by itself, so none are taken or reserved beforehand (virtio-mem). */
  readonly sparse?: boolean;
}

/**
 * A memory backend as the profile's memory section has them, bound as the cell is.
 * @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html (MemoryBackendProperties)
 */
export function memoryBackend(draft: Draft, request: BackendRequest): Omit<ObjectOption, "because"> {
  const { memory, filesystems } = draft.profile;
  const { cell, pageSizeBytes, preallocContext } = request;
  const huge = isHuge(pageSizeBytes);
  const share = memory.share ?? filesystems.some((filesystem) => filesystem.type === "virtiofs");
  const kind = memory.backend === "auto" ? (huge || share ? "memfd" : "ram") : memory.backend;
  const prealloc = isPreallocated(draft, pageSizeBytes) && request.sparse !== true;
  const properties: Properties = {
    "mem-path": kind === "file" ? memory.path : undefined,
    size: request.sizeBytes,
    "host-nodes": cell.hostNodes,
    policy: cell.policy,
    hugetlb: huge && kind === "memfd" ? true : undefined,
    hugetlbsize: huge && kind === "memfd" ? pageSizeBytes : undefined,
    share: share === (kind === "memfd") ? undefined : share,
    reserve: request.sparse === true ? false : undefined,
    prealloc: prealloc ? true : undefined,
    "prealloc-threads": prealloc ? preallocThreads(draft, request) : undefined,
    "prealloc-context": prealloc ? preallocContext : undefined,
    merge: memory.merge ? undefined : false,
  };
  return { option: "object", qomType: `memory-backend-${kind}`, id: request.id, properties };
}
