import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { macAddressFor, parseMacAddress } from "../../src/units/index.ts";

describe("parseMacAddress", () => {
  it("reads unicast addresses in any case", () => {
    expect(parseMacAddress("52:54:00:0F:fb:22")).toBe("52:54:00:0f:fb:22");
  });

  it.each([
    "",
    "52:54:00:0f:fb",
    "52-54-00-0f-fb-22",
    "53:54:00:0f:fb:22",
    "52:54:00:0f:fb:2g",
    "52:54:00:0f:fb:22:01",
  ])("does not read %j", (text) => expect(parseMacAddress(text)).toBeUndefined());
});

describe("macAddressFor", () => {
  it("depends on nothing but the names", () => {
    // Held as they are: an address that changes makes guests lose their network configuration.
    expect(macAddressFor("web", "net0")).toBe("52:54:00:b6:27:e2");
    expect(macAddressFor("web", "net1")).not.toBe(macAddressFor("web", "net0"));
    expect(macAddressFor("we", "bnet0")).not.toBe(macAddressFor("web", "net0"));
  });

  it("is always an address that can be read", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (vm, network) => {
        const address = macAddressFor(vm, network);
        expect(parseMacAddress(address)).toBe(address);
        expect(address).toMatch(/^52:54:00:/);
      }),
    );
  });
});
