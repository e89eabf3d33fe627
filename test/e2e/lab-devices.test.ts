import { afterAll, beforeAll, describe, it } from "vitest";
import { liveDevices } from "../lab/live-devices.ts";
import { checkTimeoutMs, type Lab, openLab } from "../rig/lab.ts";

/** Each test is a check of test/lab, made inside the simulated host, which all of them share. */
describe("memory and devices come and go on a host with two nodes and KVM", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab("live-devices");
  });
  afterAll(() => lab.close());

  const timeout = checkTimeoutMs(liveDevices);
  it.each(liveDevices.checks)("$name", { timeout }, ({ name }) => lab.passes(name));
});
