/*
 * Machines that this is not. A door of its own: what checks a snapshot takes longer to build than most commands to run.
 */
export { readGatheredHost } from "./gathered.ts";
export { readLstopoHost } from "./lstopo.ts";
export { readSnapshot, writeSnapshot } from "./snapshot.ts";
