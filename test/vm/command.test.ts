import { describe, expect, it } from "vitest";
import { wrapCommand } from "../../src/vm/command.ts";

const plain = { lockedMemory: undefined, openFiles: undefined, account: undefined, privilegedHelpers: false };
const wrap = (circumstances: Partial<Parameters<typeof wrapCommand>[2]>) => {
  const { program, arguments: rest } = wrapCommand("/usr/bin/qemu", ["-S", "a b"], {
    ...plain,
    ...circumstances,
  });
  return [program, ...rest].join("|");
};

describe("the command that becomes QEMU", () => {
  it("is QEMU alone when nothing is to be set", () => {
    expect(wrap({})).toBe("/usr/bin/qemu|-S|a b");
  });

  it("sets limits before it gives up the right to", () => {
    const account = { uid: 107, gid: 108, groups: [36, 109] };
    expect(wrap({ lockedMemory: 4096, openFiles: 1024, account })).toBe(
      "prlimit|--memlock=4096:4096|--nofile=1024:1024|setpriv|--reuid=107|--regid=108|--groups=36,109|--no-new-privs|/usr/bin/qemu|-S|a b",
    );
  });

  it("leaves no group behind", () => {
    expect(wrap({ account: { uid: 107, gid: 108, groups: [] } })).toContain("|--clear-groups|");
  });

  it("lets the setuid helper of a bridge work", () => {
    expect(wrap({ account: { uid: 107, gid: 108, groups: [] }, privilegedHelpers: true })).not.toContain(
      "no-new-privs",
    );
  });

  it("lifts the limit on locked memory", () => {
    expect(wrap({ lockedMemory: "unlimited" })).toBe(
      "prlimit|--memlock=unlimited:unlimited|/usr/bin/qemu|-S|a b",
    );
  });
});
