import { expect, it } from "vitest";
import { renderVerification } from "../../src/report/index.ts";
import { compare } from "../../src/verify/compare.ts";
import { plan, report, withFunction } from "../verify/report.ts";
import { plain } from "./style.ts";

const render = (seen: typeof report) => {
  const rows = compare(plan, seen);
  const same = rows.every((row) => row.same);
  return renderVerification(
    { name: "test", same, kernel: seen.kernel, uptimeSeconds: seen.uptimeSeconds, rows, diagnostics: [] },
    plain,
  );
};

it("has a line a thing, each fact as planned and as seen", () => {
  expect(render(report)).toEqual([
    "cell  vCPUs  seen  distances  seen   memory   seen       same",
    "0     0-1    0-1   10 21      10 21  256 MiB  205.1 MiB  yes",
    "1     2-3    2-3   21 10      21 10  256 MiB  250 MiB    yes",
    "",
    "vCPUs  siblings  seen  same",
    "0-1    0-1       0-1   yes",
    "2-3    2-3       2-3   yes",
    "",
    "device  address     seen          node  seen  bus  seen  ids        seen       BARs      same",
    "pxb1    0000:60     0000:60       1     1     -    -     -          -          -         yes",
    "rp0     pxb1 2      0000:60:02.0  1     1     60   60    -          1b36:000c  assigned  yes",
    "sw0     rp0 0       0000:61:00.0  1     1     61   61    -          1b36:000c  assigned  yes",
    "dp0     sw0 0       0000:62:00.0  1     1     62   62    -          1b36:000c  assigned  yes",
    "dp1     sw0 1       0000:62:01.0  1     1     62   62    -          1b36:000c  assigned  yes",
    "gpu0    dp1 0       0000:64:00.0  1     1     64   64    10de:2335  10de:2335  assigned  yes",
    "spare0  pcie.0 2.1  0000:00:02.1  none  none  00   00    -          1b36:000c  assigned  yes",
    "",
    "The guest sees what was planned. Linux 6.1.0, up 5 s.",
  ]);
});

it("shows what differs, and how much", () => {
  const lines = render(withFunction("0000:64:00.0", { numaNode: 0, device: "0x1111" }));
  expect(lines.find((line) => line.startsWith("gpu0"))).toBe(
    "gpu0    dp1 0       0000:64:00.0  1     0     64   64    10de:2335  10de:1111  assigned  NO",
  );
  expect(lines.at(-1)).toMatch(/^Not as planned: 2 of \d+ facts\. Linux 6\.1\.0, up 5 s\.$/);
});

it("passed-through devices have a table of their own", () => {
  const given = { kind: "passed", what: "gpu0", same: true } as const;
  const rows = [
    { ...given, fact: "planned below", planned: "dp0 pxb0", seen: "dp0 pxb0" },
    { ...given, fact: "given back to", planned: "nvidia", seen: "vfio-pci", same: false },
  ];
  const lines = renderVerification(
    { name: "test", same: false, kernel: "6.1", uptimeSeconds: 1, rows, diagnostics: [] },
    plain,
  );
  expect(lines).toEqual([
    "passed through  planned below  seen      given back to  seen      same",
    "gpu0            dp0 pxb0       dp0 pxb0  nvidia         vfio-pci  NO",
    "",
    "Not as planned: 1 of 2 facts. Linux 6.1, up 1 s.",
  ]);
});

it("text of the guest's cannot move the cursor", () => {
  expect(render({ ...report, kernel: "6.1\u001b[2J" }).at(-1)).toContain("Linux 6.1 [2J,");
});
