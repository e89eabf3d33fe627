import { afterAll, beforeAll, describe, it } from "vitest";
import { board } from "../lab/board.ts";
import { checkTimeoutMs, type Lab, openLab } from "../rig/lab.ts";

/** Each test is a check of test/lab, made inside the simulated host, which all of them share. */
describe("devices of a simulated HGX board, given to guests with VFIO and KVM", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab("board");
  });
  afterAll(() => lab.close());

  const timeout = checkTimeoutMs(board);
  it.each(board.checks)("$name", { timeout }, ({ name }) => lab.passes(name));
});
