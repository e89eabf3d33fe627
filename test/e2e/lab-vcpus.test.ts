import { afterAll, beforeAll, describe, it } from "vitest";
import { liveVcpus } from "../lab/live-vcpus.ts";
import { type Lab, openLab } from "../rig/lab.ts";

/** Each test is a check of test/lab, made inside the simulated host, which all of them share. */
describe("vCPUs come and go on a host with two nodes and KVM", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab("live-vcpus");
  });
  afterAll(() => lab.close());

  const timeout = liveVcpus.timeoutSeconds * 1000;
  it.each(liveVcpus.checks)("$name", { timeout }, ({ name }) => lab.passes(name));
});
