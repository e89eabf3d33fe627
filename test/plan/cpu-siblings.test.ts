import { describe, expect, it } from "vitest";
import { plan, values } from "./planning.ts";

describe("siblings", () => {
  const siblings = { boot: 2, topology: { threads: 2 } };
  const cpu = (changes: object, host = "laptop") =>
    values(plan({ cpus: siblings, ...changes }, { host }), "cpu")[0];

  it("need topoext of an AMD host under KVM", () => {
    expect(cpu({}, "sparse")).toBe("max,topoext=on");
    expect(cpu({})).toBe("max");
    expect(cpu({ cpus: { boot: 2 } }, "sparse")).toBe("max");
  });

  it("need an Intel processor under TCG", () => {
    expect(cpu({ machine: { accel: "tcg" } })).toBe("max,vendor=GenuineIntel");
    expect(cpu({ machine: { accel: "tcg" }, cpus: { ...siblings, model: "EPYC" } })).toBe("EPYC");
  });

  it("are the profile's business when it says something", () => {
    const own = { ...siblings, features: { vendor: "AuthenticAMD", topoext: false } };
    expect(cpu({ cpus: own, machine: { accel: "tcg" } })).toBe("max,vendor=AuthenticAMD,topoext=off");
    expect(cpu({ cpus: own }, "sparse")).toBe("max,vendor=AuthenticAMD,topoext=off");
  });
});
