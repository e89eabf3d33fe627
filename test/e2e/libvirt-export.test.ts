import { afterAll, describe, expect, it } from "vitest";
import type { Profile } from "../../src/profile/index.ts";
import { profileSchema } from "../../src/profile/schema.ts";
import { type GoldenProfile, goldenProfiles } from "../golden/cases.ts";
import { describeDifference, differencesOf, entriesFor } from "../libvirt/compare.ts";
import { allOfExports, exportDifferences } from "../libvirt/export-differences.ts";
import { exportOn, factsHere, here, startable, withoutKvm } from "../libvirt/exports.ts";
import { factsOf } from "../libvirt/facts.ts";
import { openLibvirt } from "../libvirt/private-libvirt.ts";
import { refusals, refusalsOf } from "../libvirt/refusals.ts";

function small(part: object): Profile {
  const common = { version: 1, name: "small", machine: { accel: "tcg" }, cpus: { boot: 2 } };
  return profileSchema.parse({ ...common, memory: { size: "1G" }, ...part });
}

/** What no golden has. */
const others: readonly GoldenProfile[] = [
  {
    name: "many-vcpus-remapped",
    profile: small({
      machine: { accel: "kvm", viommu: {} },
      cpus: { boot: 2, max: 288, topology: { sockets: 4, dies: 2, cores: 18, threads: 2 } },
    }),
    hosts: ["ol8"],
  },
];

function exported(profile: Profile, host: string) {
  const made = exportOn(profile, host);
  if (!made) throw new Error(`${profile.name} has no plan on ${host}`);
  return { ...made, domain: here(made.domain) };
}

/** Profiles that plan somewhere, with their hosts; hosts that make the same domain are one. */
const cases = [...goldenProfiles, ...others].flatMap(({ name, profile, hosts }) => {
  const planned = hosts.filter((host) => exportOn(profile, host));
  const domains = new Map(
    planned.map((host) => [exported(withoutKvm(profile, host), host).domain, { name, host, profile }]),
  );
  return [...domains.values()];
});

/** libvirt 9.0 is the judge: its schema, its checks, and its own command line of an exported domain. */
describe("an exported domain", () => {
  // Its 9.0 asks for switches that QEMU 10 no longer has.
  const libvirt = openLibvirt("/usr/bin/qemu-system-x86_64");
  const met = new Set<object>();
  afterAll(() => libvirt.close());

  it.each(refusals)("is refused and warned of: $why", async ({ part, says, warned, without }) => {
    const { domain, warnings } = exported(small(part), "laptop");
    expect(await libvirt.refusal(domain)).toMatch(says);
    expect(warnings).toContainEqual(expect.stringMatching(warned));
    expect(await libvirt.refusal(exported(without(small(part)), "laptop").domain)).toBe(undefined);
  });

  it.each(cases)("$name of $host is the guest of its plan to libvirt", async ({ profile: given, host }) => {
    const profile = withoutKvm(given, host);
    const refused = refusalsOf(profile);
    const full = exported(profile, host);
    const rest = startable(refused.reduce((less, { without }) => without(less), profile));
    const { domain, argv, warnings } = exported(rest, host);
    // Where nothing had to be left out, the domain that is compared is the whole one.
    const words = domain === full.domain ? undefined : await libvirt.refusal(full.domain);
    if (refused.length === 0) expect(words).toBe(undefined);
    else expect(refused.filter(({ says }) => says.test(words ?? ""))).not.toEqual([]);
    for (const { warned } of refused) expect(full.warnings).toContainEqual(expect.stringMatching(warned));

    const theirs = await libvirt.native(domain, true);
    const differences = differencesOf(factsOf(theirs.argv, rest.cpus.boot), factsHere(argv, rest)).map(
      (difference) => ({ difference, entries: entriesFor(difference, allOfExports) }),
    );
    for (const { entries } of differences) for (const entry of entries) met.add(entry);
    const unlisted = differences.filter(({ entries }) => entries.length === 0);
    const untold = differences.filter(
      ({ entries }) =>
        entries.length > 0 &&
        !entries.some(({ told }) => told === undefined || warnings.some((text) => told.test(text))),
    );
    expect({
      unlisted: unlisted.map(({ difference }) => describeDifference(difference)),
      untold: untold.map(({ difference }) => describeDifference(difference)),
    }).toEqual({ unlisted: [], untold: [] });
  });

  it("differs in everything that is listed", () => {
    expect(
      exportDifferences.filter((entry) => !met.has(entry)).map(({ fact, why }) => `${fact}: ${why}`),
    ).toEqual([]);
  });
});
