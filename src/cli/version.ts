/** Put in by the build; a checkout that runs unbundled has none. */
declare const QLAUNCH_VERSION: string | undefined;

export const version: string = typeof QLAUNCH_VERSION === "string" ? QLAUNCH_VERSION : "0.0.0-development";
