export type DetectZeroes = "off" | "on" | "unmap";

/** A node by name, or a new one in place. */
export type BlockdevReference = string | BlockdevOptions;

interface BlockdevCommon {
  "node-name"?: string;
  discard?: "ignore" | "unmap";
  cache?: { direct?: boolean; "no-flush"?: boolean };
  "read-only"?: boolean;
  "auto-read-only"?: boolean;
  "force-share"?: boolean;
  "detect-zeroes"?: DetectZeroes;
}

interface BlockdevFile extends BlockdevCommon {
  filename: string;
  locking?: "auto" | "on" | "off";
  aio?: "threads" | "native" | "io_uring";
  "aio-max-batch"?: number;
  "pr-manager"?: string;
}

/** The block drivers that this client knows; others go through `executeRaw`. Sizes are bytes. */
export type BlockdevOptions =
  | ({ driver: "file" } & BlockdevFile)
  | ({ driver: "host_device" } & BlockdevFile)
  | ({ driver: "raw"; file: BlockdevReference; offset?: number; size?: number } & BlockdevCommon)
  | ({
      driver: "qcow2";
      file: BlockdevReference;
      /** null cuts off the backing file that the image names. */
      backing?: BlockdevReference | null;
      "lazy-refcounts"?: boolean;
      "pass-discard-request"?: boolean;
      "cache-size"?: number;
      "l2-cache-size"?: number;
      "refcount-cache-size"?: number;
      "cache-clean-interval"?: number;
    } & BlockdevCommon)
  | ({ driver: "nvme"; device: string; namespace: number } & BlockdevCommon)
  | ({ driver: "null-co"; size?: number; "latency-ns"?: number; "read-zeroes"?: boolean } & BlockdevCommon)
  | ({ driver: "throttle"; "throttle-group": string; file: BlockdevReference } & BlockdevCommon)
  | ({ driver: "copy-on-read"; file: BlockdevReference; bottom?: string } & BlockdevCommon);

/** The node at the top needs a name of its own, which QEMU asks for though its schema does not. */
export type BlockdevAddArguments = BlockdevOptions & { "node-name": string };

export interface BlockInfo {
  /** Empty for a disk that came by `-blockdev`. */
  device: string;
  /** The id or the QOM path of the guest's device. */
  qdev?: string;
  type: string;
  removable: boolean;
  locked: boolean;
  inserted?: BlockDeviceInfo;
  tray_open?: boolean;
  "io-status"?: "ok" | "failed" | "nospace";
}

export interface BlockDeviceInfo {
  file: string;
  "node-name"?: string;
  ro: boolean;
  drv: string;
  backing_file?: string;
  backing_file_depth: number;
  encrypted: boolean;
  detect_zeroes: DetectZeroes;
  image: ImageInfo;
  cache: { writeback: boolean; direct: boolean; "no-flush": boolean };
  write_threshold: number;
}

export interface ImageInfo {
  filename: string;
  format: string;
  "virtual-size": number;
  "actual-size"?: number;
  "cluster-size"?: number;
  "dirty-flag"?: boolean;
  "backing-filename"?: string;
  "full-backing-filename"?: string;
  "backing-filename-format"?: string;
  "backing-image"?: ImageInfo;
}
