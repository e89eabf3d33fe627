import { refusal } from "../errors/index.ts";
import type { RunUser } from "../plan/types.ts";
import type { System } from "../system/index.ts";

/** Numbers of a user, its group and further groups. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

interface LookUpOptions {
  /** Whether getent may be started, which knows of directory services. Default true. */
  readonly mayAsk?: boolean;
}

async function lookUpAccount(system: System, wanted: RunUser, options: LookUpOptions): Promise<Account> {
  const user = await lookUp(system, "passwd", wanted.user, options);
  if (user === undefined) throw unknownAccount("user", wanted.user);
  const uid = Number(user[2]);
  const group = async (name: string) => {
    const entry = await lookUp(system, "group", name, options);
    if (entry === undefined) throw unknownAccount("group", name);
    return Number(entry[2]);
  };
  const gid = wanted.group === undefined ? Number(user[3]) : await group(wanted.group);
  return { uid, gid, groups: await Promise.all(wanted.groups.map(group)) };
}

/** The account that QEMU runs as when it is not ours. @throws QlaunchError HOST_SANDBOX */
export async function foreignAccount(
  system: System,
  wanted: RunUser | undefined,
  options: LookUpOptions = {},
): Promise<Account | undefined> {
  if (wanted === undefined) return undefined;
  const account = await lookUpAccount(system, wanted, options);
  if (system.user.uid === 0) return account;
  if (account.uid === system.user.uid && account.gid === system.user.gid && account.groups.length === 0) {
    return undefined;
  }
  throw refusal("HOST_SANDBOX", {
    found: `QEMU shall run as ${wanted.user}, and you are user ${system.user.uid}`,
    needed: "root, to become another user",
    fix: "run it as root, or leave out sandbox.user, sandbox.group and sandbox.groups",
  });
}

type Database = "passwd" | "group";

/** An entry's fields, by name or number. Both databases have the number in the third. */
async function lookUp(
  system: System,
  database: Database,
  key: string,
  { mayAsk = true }: LookUpOptions,
): Promise<string[] | undefined> {
  const local = findEntry(system.files.tryReadText(`/etc/${database}`) ?? "", key);
  if (local !== undefined || !mayAsk || system.processes.find("getent") === undefined) return local;
  const { exitCode, stdout } = await system.processes.run("getent", [database, "--", key], {
    timeoutMs: 10_000,
  });
  return exitCode === 0 ? findEntry(stdout, key) : undefined;
}

function findEntry(text: string, key: string): string[] | undefined {
  const entries = text.split("\n").map((line) => line.split(":"));
  return (
    entries.find((fields) => fields[0] === key) ??
    (/^\d+$/.test(key) ? entries.find((fields) => fields[2] === key) : undefined)
  );
}

function unknownAccount(kind: "user" | "group", name: string) {
  return refusal("HOST_SANDBOX", {
    found: `there is no ${kind} ${name} on this host`,
    needed: `an account for QEMU to run as`,
    fix:
      kind === "user"
        ? `useradd --system ${name}, or name another user`
        : `groupadd --system ${name}, or name another group`,
  });
}
