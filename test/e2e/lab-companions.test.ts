import { afterAll, beforeAll, describe, it } from "vitest";
import { companions } from "../lab/companions.ts";
import { checkTimeoutMs, type Lab, openLab } from "../rig/lab.ts";

/** Each test is a check of test/lab, made inside the simulated host, which all of them share. */
describe("a card of several functions, given to guests with VFIO and KVM", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab("companions");
  });
  afterAll(() => lab.close());

  const timeout = checkTimeoutMs(companions);
  it.each(companions.checks)("$name", { timeout }, ({ name }) => lab.passes(name));
});
