import { readdirSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { describeDifference, differencesOf, entriesFor, isTold } from "../libvirt/compare.ts";
import { listedDifferences } from "../libvirt/differences.ts";
import { factsOf } from "../libvirt/facts.ts";
import { pairOf } from "../libvirt/pairs.ts";
import { openLibvirt } from "../libvirt/private-libvirt.ts";

const names = readdirSync(new URL("../libvirt/domains", import.meta.url))
  .filter((file) => file.endsWith(".xml"))
  .map((file) => file.replace(".xml", ""));

/** libvirt is the judge: its own command line of a domain beside that of the profile that import makes. */
describe("the guest of a domain", () => {
  // Its 9.0 asks for switches that QEMU 10 no longer has.
  const libvirt = openLibvirt("/usr/bin/qemu-system-x86_64");
  const met = new Set<object>();
  afterAll(() => libvirt.close());

  it.each(names)("%s is the one that libvirt starts, but for what is listed", async (name) => {
    const { libvirt: theirs, ours, report } = await pairOf(libvirt, name);
    const differences = differencesOf(factsOf(theirs), factsOf(ours)).map((difference) => ({
      difference,
      entries: entriesFor(difference, listedDifferences),
    }));
    for (const { entries } of differences) for (const entry of entries) met.add(entry);
    const unlisted = differences.filter(({ entries }) => entries.length === 0);
    const untold = differences.filter(
      ({ entries }) => entries.length > 0 && !entries.some((entry) => isTold(entry, report)),
    );
    expect({
      unlisted: unlisted.map(({ difference }) => describeDifference(difference)),
      untold: untold.map(({ difference }) => describeDifference(difference)),
    }).toEqual({ unlisted: [], untold: [] });
  });

  it("differs in everything that is listed", () => {
    expect(
      listedDifferences.filter((entry) => !met.has(entry)).map(({ fact, why }) => `${fact}: ${why}`),
    ).toEqual([]);
  });
});
