import { describe, expect, it } from "vitest";
import { plan, problems, values } from "./planning.ts";

describe("a direct boot", () => {
  it("takes paths and command line as they are", () => {
    const planned = plan({ kernel: { image: "/k,1", initrd: "/i,1", cmdline: "console=ttyS0,115200 a b" } });
    expect([values(planned, "kernel"), values(planned, "initrd"), values(planned, "append")]).toEqual([
      ["/k,1"],
      ["/i,1"],
      ["console=ttyS0,115200 a b"],
    ]);
    expect(planned.run.files.map(({ path, what }) => [path, what])).toEqual([
      ["/k,1", "kernel image"],
      ["/i,1", "initial RAM disk"],
    ]);
  });

  it("needs no more than a kernel", () => {
    const planned = plan({ kernel: { image: "/k" } });
    expect([values(planned, "initrd"), values(planned, "append")]).toEqual([[], []]);
  });
});

describe("firmware entries", () => {
  it("hold text or a file", () => {
    const fwCfg = [
      { name: "opt/a", string: "x,y=z" },
      { name: "opt/b", file: "/f,1" },
    ];
    expect(values(plan({ fwCfg }), "fw_cfg")).toEqual(["name=opt/a,string=x,,y=z", "name=opt/b,file=/f,,1"]);
  });

  it.each([
    [{}, "PROFILE_VALUE fwCfg[0]: neither string nor file; one of them"],
    [{ string: "x", file: "/f" }, "PROFILE_VALUE fwCfg[0]: both string and file; one of them"],
    [
      { string: "" },
      "PROFILE_VALUE fwCfg[0].string: an empty string; at least one character: QEMU takes an empty string for none",
    ],
  ])("with %j are refused", (entry, problem) => {
    expect(problems({ fwCfg: [{ name: "opt/a", ...entry }] })).toEqual([problem]);
  });
});
