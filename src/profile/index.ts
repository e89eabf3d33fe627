export { type ProfileReading, parseProfile } from "./parse.ts";
export type { AnnotatedDevice } from "./passthrough.ts";
export { resolvePath, resolvePaths } from "./paths.ts";
export { pciClasses } from "./pci-classes.ts";
export type {
  Console,
  Disk,
  Filesystem,
  MemoryDevice,
  Network,
  NumaCell,
  Passthrough,
  PassthroughEntry,
  Profile,
  StandIn,
  TreeExpander,
  TreeNode,
  TreeRootPort,
  TreeSwitch,
} from "./schema.ts";
