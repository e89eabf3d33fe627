import type { HostMemoryPolicy } from "./results.ts";

interface MemoryBackendProperties {
  id: string;
  /** In bytes. */
  size: number;
  share?: boolean;
  reserve?: boolean;
  merge?: boolean;
  dump?: boolean;
  prealloc?: boolean;
  "prealloc-threads"?: number;
  /** The id of a thread-context. */
  "prealloc-context"?: string;
  "host-nodes"?: readonly number[];
  policy?: HostMemoryPolicy;
}

/** The objects that can be made by `object-add`; others go through `executeRaw`. */
export type ObjectAddArguments =
  | ({ "qom-type": "memory-backend-ram" } & MemoryBackendProperties)
  | ({
      "qom-type": "memory-backend-file";
      "mem-path": string;
      align?: number;
      "discard-data"?: boolean;
      pmem?: boolean;
      readonly?: boolean;
    } & MemoryBackendProperties)
  | ({
      "qom-type": "memory-backend-memfd";
      /** Without this, `hugetlbsize` is ignored in silence. */
      hugetlb?: boolean;
      /** In bytes. */
      hugetlbsize?: number;
      seal?: boolean;
    } & MemoryBackendProperties)
  | {
      "qom-type": "thread-context";
      id: string;
      "cpu-affinity"?: readonly number[];
      "node-affinity"?: readonly number[];
    }
  | {
      "qom-type": "iothread";
      id: string;
      "poll-max-ns"?: number;
      "poll-grow"?: number;
      "poll-shrink"?: number;
      "aio-max-batch"?: number;
      "thread-pool-min"?: number;
      "thread-pool-max"?: number;
    }
  | { "qom-type": "rng-random"; id: string; filename?: string }
  | { "qom-type": "rng-builtin"; id: string }
  | {
      "qom-type": "secret";
      id: string;
      data?: string;
      file?: string;
      format?: "raw" | "base64";
      keyid?: string;
      iv?: string;
    }
  | {
      "qom-type": "filter-dump";
      id: string;
      netdev: string;
      file: string;
      queue?: "all" | "rx" | "tx";
      maxlen?: number;
    };
