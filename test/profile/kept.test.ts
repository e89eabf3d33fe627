import { describe, expect, it } from "vitest";
import type { Profile } from "../../src/profile/index.ts";
import { keepProfile, takeKeptProfile } from "../../src/profile/kept.ts";
import { goldenProfiles } from "../golden/cases.ts";

describe("a kept profile", () => {
  it.each(goldenProfiles.map(({ name, profile }): [string, Profile] => [name, profile]))(
    "%s comes back as it was",
    (_, profile) => {
      expect(takeKeptProfile(keepProfile(profile, "/a", "one"), "one")).toEqual({ profile, folder: "/a" });
    },
  );

  it("is of no use to a program with another reader, and to one that does not know its own", () => {
    for (const { profile } of goldenProfiles) {
      expect(takeKeptProfile(keepProfile(profile, "/a", "one"), "other")).toEqual({ folder: "/a" });
      expect(takeKeptProfile(keepProfile(profile, "/a"))).toEqual({ folder: "/a" });
    }
    expect(takeKeptProfile("{", "one")).toEqual({});
  });
});
