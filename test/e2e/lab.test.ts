import { afterAll, beforeAll, describe, it } from "vitest";
import { spine } from "../lab/spine.ts";
import { type Lab, openLab } from "../rig/lab.ts";

/** Each test is a check of test/lab, made inside the simulated host, which all of them share. */
describe("on a host with two nodes and KVM", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab("spine");
  });
  afterAll(() => lab.close());

  it.each(spine.checks)("$name", { timeout: spine.timeoutSeconds * 1000 }, ({ name }) => lab.passes(name));
});
