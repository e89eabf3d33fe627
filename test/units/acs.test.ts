import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeAcs, describeAcsChange, directAcs } from "../../src/units/index.ts";

describe("the words for ACS", () => {
  it("are lspci's, of the bits that a port can have", () => {
    expect(describeAcs({ capability: 0x5f, control: 0x1d })).toBe(
      "SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ DirectTrans-",
    );
    expect(describeAcs({ capability: 0, control: 0 })).toBe("");
    // The size of the egress vector stands above the bits.
    expect(describeAcs({ capability: 0x0820, control: 0 })).toBe("EgressCtrl-");
  });

  it("tell what becomes different", () => {
    expect(describeAcsChange(0x1d, 0x5d)).toBe("DirectTrans+");
    expect(describeAcsChange(0x22, 0x1d)).toBe(
      "SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl-",
    );
    expect(describeAcsChange(0x5d, 0x5d)).toBe("");
  });
});

describe("the setting that lets translated requests stay below a switch", () => {
  it("is 0x5d, or what of it a port can have", () => {
    expect(directAcs({ capability: 0x7f, control: 0 })).toBe(0x5d);
    expect(directAcs({ capability: 0x7f, control: 0x7f })).toBe(0x5d);
    expect(directAcs({ capability: 0x1f, control: 0x1d })).toBe(0x1d);
    expect(directAcs({ capability: 0, control: 0 })).toBe(0);
  });

  it("leaves the other bits as they are, and is the same a second time", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0, max: 0xffff }),
        (capability, control) => {
          const once = directAcs({ capability, control });
          expect(once & ~0x7f).toBe(control & ~0x7f);
          expect(once & 0x7f & ~capability).toBe(0);
          expect(directAcs({ capability, control: once })).toBe(once);
        },
      ),
    ));
});
