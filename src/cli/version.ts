/** Put in by the build; a checkout that runs unbundled has none. */
declare const QLAUNCH_VERSION: string | undefined;
declare const QLAUNCH_COMMIT: string | undefined;

export const version: string = typeof QLAUNCH_VERSION === "string" ? QLAUNCH_VERSION : "0.0.0-development";

const commit = typeof QLAUNCH_COMMIT === "string" ? QLAUNCH_COMMIT : "unknown";
const runtime =
  process.versions.bun === undefined ? `Node ${process.versions.node}` : `Bun ${process.versions.bun}`;

/** What `--version` prints: the version first, for scripts; then what it was built from and runs on. */
export const longVersion = `${version} (${commit}, ${runtime})`;
