import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PciFunction } from "../../src/host/index.ts";
import { compareDrivers, jobText, placedProfile } from "../../src/rehearse/index.ts";
import type { Assignment } from "../../src/rehearse/job.ts";
import { pciBridge, pciFunction } from "../plan/host-pci.ts";

const assignment = (changes: Partial<Assignment> = {}): Assignment => ({
  ...{ profile: { name: "guest" }, devices: [], places: [], answerMs: 1000 },
  ...changes,
});

/** Runs a job's text with programs that tell what they were given instead of doing it. */
function run(text: string): string[] {
  const tell = (name: string, body: string) => `${name}() { ${body}; }\n`;
  const here = text
    .replace("cat >/run/lab/assignment.json", "sed 's/^/document /'")
    .replace("exec timeout", "timeout");
  const script = `set -e\n${tell("timeout", `printf 'word %s\\n' "$@"; printf 'home %s\\n' "$HOME"`)}${here}`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8" }).trimEnd().split("\n");
}

describe("a job", () => {
  it("is a document and one command", () => {
    const lines = run(
      jobText(assignment(), ["/usr/bin/node", "/opt/q l/qlaunch.mjs", "__inside"], { HOME: "/root" }, 9.5),
    );
    expect(lines).toEqual([
      `document ${JSON.stringify(assignment())}`,
      ...["--kill-after", "10", "10", "/usr/bin/node", "/opt/q l/qlaunch.mjs", "__inside"].map(
        (word) => `word ${word}`,
      ),
      "word /run/lab/assignment.json",
      "home /root",
    ]);
  });

  it("carries any text, and the shell reads none of it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.stringMatching(/^[ -~]*$/), (text, word) => {
        const lines = run(
          jobText(
            assignment({ profile: { text: `${text}\nEND\n$(exit 3)` } }),
            ["x", word],
            { HOME: word || "/" },
            1,
          ),
        );
        expect(JSON.parse((lines[0] ?? "").slice("document ".length)).profile.text).toBe(
          `${text}\nEND\n$(exit 3)`,
        );
        expect(lines).toContain(`word ${word}`);
      }),
      { numRuns: 50 },
    );
  });

  it("takes along only settings that mean the same there", () => {
    const text = jobText(
      assignment(),
      ["x"],
      { HOME: "/root", QLAUNCH_RUN_DIR: "/tmp/x", LANG: "", PATH: "/bin" },
      1,
    );
    expect(text).toContain("export HOME='/root'\n");
    expect(text).not.toMatch(/RUN_DIR|LANG|PATH/);
  });
});

const there: readonly PciFunction[] = [
  pciBridge("0000:20:00.0", { rootBus: "0000:20" }),
  pciFunction("0000:23:00.0", { rootBus: "0000:20", parent: "0000:20:00.0", driver: "bochs" }),
];
const places = [
  { id: "pxb0", bus: "pcie.0", slot: 1, function: 0, busNr: 0x20 },
  { id: "rp0", bus: "pxb0", slot: 0, function: 0 },
  { id: "gpu0", bus: "rp0", slot: 0, function: 0 },
];

describe("on the simulated host", () => {
  it("a device's entry gets the address of its stand-in", () => {
    const given = assignment({
      profile: { name: "guest", passthrough: { clique: "auto" } },
      devices: [{ standIn: "gpu0", entry: { id: "gpu0" } }],
      places,
    });
    expect(placedProfile(given, there)).toEqual({
      profile: {
        name: "guest",
        passthrough: { clique: "auto", devices: [{ address: "0000:23:00.0", id: "gpu0" }] },
      },
      addresses: new Map([["gpu0", "0000:23:00.0"]]),
    });
  });

  it("a stand-in that is not there is told", () => {
    const given = assignment({ devices: [{ standIn: "gpu0", entry: {} }], places });
    expect(() => placedProfile(given, there.slice(0, 1))).toThrow(
      "REHEARSE_HOST: the simulated host does not see the stand-in of gpu0",
    );
  });

  it("a device that stays without its driver is told", () => {
    const addresses = new Map([["gpu0", "0000:23:00.0"]]);
    const after = there.map((fn) => (fn.driver === "bochs" ? { ...fn, driver: "vfio-pci" } : fn));
    expect(compareDrivers(addresses, there, there).map(({ same }) => same)).toEqual([true]);
    expect(compareDrivers(addresses, there, after)).toEqual([
      {
        kind: "passed",
        what: "gpu0",
        fact: "given back to",
        planned: "bochs",
        seen: "vfio-pci",
        same: false,
      },
    ]);
  });
});
