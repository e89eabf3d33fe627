import { afterAll, beforeAll, describe, it } from "vitest";
import { rounds } from "../lab/rounds.ts";
import { checkTimeoutMs, type Lab, openLab } from "../rig/lab.ts";

/** Each test is a check of test/lab, made inside the simulated host, which all of them share. */
describe("rounds of everything that comes and goes, on a host with two nodes and KVM", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab("rounds");
  });
  afterAll(() => lab.close());

  const timeout = checkTimeoutMs(rounds);
  it.each(rounds.checks)("$name", { timeout }, ({ name }) => lab.passes(name));
});
