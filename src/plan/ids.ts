import { type Diagnostic, formatJsonPath, type JsonPath } from "../errors/index.ts";

/** What QEMU wants unique: ids of one kind. A device and an object may share one. */
export type IdSpace = "device" | "object" | "block node" | "socket";

/**
 * Who has which id, so that two things never share one: neither two of the profile nor one of the profile and one
 * that the planner made up.
 */
export class Ids {
  private readonly owners = new Map<string, JsonPath>();

  has(space: IdSpace, id: string): boolean {
    return this.owners.has(`${space} ${id}`);
  }

  /** Takes an id. @returns the problem when somebody has it; the first owner keeps it */
  claim(space: IdSpace, id: string, path: JsonPath): Diagnostic | undefined {
    const key = `${space} ${id}`;
    const owner = this.owners.get(key);
    if (owner === undefined) {
      this.owners.set(key, path);
      return undefined;
    }
    return {
      code: "ID_DUPLICATE",
      severity: "error",
      path,
      found: `the ${space} "${id}" a second time; ${formatJsonPath(owner)} has it`,
      needed: `a name of its own for each ${space}`,
      fix: "rename one of them",
    };
  }
}
