export { type ProfileReading, parseProfile } from "./parse.ts";
export type {
  Console,
  Disk,
  Filesystem,
  Network,
  NumaCell,
  Profile,
  TreeExpander,
  TreeNode,
  TreeRootPort,
} from "./schema.ts";
