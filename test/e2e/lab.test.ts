import { afterAll, beforeAll, describe, it } from "vitest";
import { spine } from "../lab/spine.ts";
import { checkTimeoutMs, type Lab, openLab } from "../rig/lab.ts";

/** Each test is a check of test/lab, made inside the simulated host, which all of them share. */
describe("on a host with two nodes and KVM", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab("spine");
  });
  afterAll(() => lab.close());

  it.each(spine.checks)("$name", { timeout: checkTimeoutMs(spine) }, ({ name }) => lab.passes(name));
});
