export { profileJsonSchema } from "./json-schema.ts";
export { type ProfileReading, parseProfile } from "./parse.ts";
export { resolvePath, resolvePaths } from "./paths.ts";
export type {
  Console,
  Disk,
  Filesystem,
  MemoryDevice,
  Network,
  NumaCell,
  Profile,
  TreeExpander,
  TreeNode,
  TreeRootPort,
} from "./schema.ts";
