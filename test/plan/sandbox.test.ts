import { describe, expect, it } from "vitest";
import { plan, problems, values } from "./planning.ts";

describe("the sandbox", () => {
  it("denies all it can, unless it is off", () => {
    expect(values(plan(), "sandbox")).toEqual([
      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    ]);
    expect(values(plan({ sandbox: { seccomp: false } }), "sandbox")).toEqual([]);
  });

  it("has another user when the profile names one", () => {
    const sandbox = { user: "vm", group: "vms", groups: ["kvm"], openFiles: 4096 };
    expect(plan({ sandbox }).run).toMatchObject({
      user: { user: "vm", group: "vms", groups: ["kvm"] },
      openFiles: 4096,
    });
    expect(plan().run.user).toBeUndefined();
  });

  it.each([{ group: "kvm" }, { groups: ["kvm"] }])("%j without a user is refused", (sandbox) => {
    expect(problems({ sandbox })).toEqual([
      `HOST_SANDBOX sandbox.${Object.keys(sandbox)[0]}: a group without a user; sandbox.user, whose group it is`,
    ]);
  });
});
