/** What is set before QEMU begins, by programs that become QEMU: its pid stays the same. */
export interface Circumstances {
  /** Limit on locked memory in bytes, "unlimited", or undefined to leave it. */
  readonly lockedMemory: number | "unlimited" | undefined;
  readonly openFiles: number | undefined;
  /** Undefined to stay the user that we are. */
  readonly account:
    | { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
    | undefined;
  /** Programs with setuid bits, such as qemu-bridge-helper, keep working. */
  readonly privilegedHelpers: boolean;
}

/**
 * The command that sets limits while it still may, then gives up its privileges, then is QEMU.
 * @see https://man7.org/linux/man-pages/man1/prlimit.1.html
 * @see https://man7.org/linux/man-pages/man1/setpriv.1.html
 */
export function wrapCommand(
  program: string,
  arguments_: readonly string[],
  circumstances: Circumstances,
): { program: string; arguments: string[] } {
  const { lockedMemory, openFiles, account, privilegedHelpers } = circumstances;
  const limits = [
    ...(lockedMemory === undefined ? [] : [`--memlock=${lockedMemory}:${lockedMemory}`]),
    ...(openFiles === undefined ? [] : [`--nofile=${openFiles}:${openFiles}`]),
  ];
  const words = [
    ...(limits.length === 0 ? [] : ["prlimit", ...limits]),
    ...(account === undefined
      ? []
      : [
          "setpriv",
          `--reuid=${account.uid}`,
          `--regid=${account.gid}`,
          account.groups.length === 0 ? "--clear-groups" : `--groups=${account.groups.join(",")}`,
          ...(privilegedHelpers ? [] : ["--no-new-privs"]),
        ]),
    program,
    ...arguments_,
  ];
  return { program: words[0] ?? program, arguments: words.slice(1) };
}
