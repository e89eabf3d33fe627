import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Code, codes, type Diagnostic } from "../../src/errors/index.ts";
import { planVm } from "../../src/plan/index.ts";
import { parseProfile, resolvePaths } from "../../src/profile/index.ts";
import { renderDiagnostics, styleFor } from "../../src/report/index.ts";
import { world } from "./hosts.ts";

/*
 * Each case is a profile, CODE.json or CODE-variant.json, and beside it the exact text that its user sees. "@sparse"
 * at the end of a name is the recorded host that it is planned on; without it, ol8. The profile's description says
 * what is wrong. `npx vitest run --config test/vitest.config.ts test/invalid -u` writes the texts anew: read them.
 */

const folder = new URL("./", import.meta.url);
const files = readdirSync(folder);
const cases = files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
const plain = styleFor({ isTerminal: false });

const directory = "/run/qlaunch/vm";
const places = {
  directory,
  pidFile: `${directory}/qemu.pid`,
  logFile: `${directory}/qemu.log`,
  qmpSocket: `${directory}/qmp.sock`,
  monitorSocket: `${directory}/monitor.sock`,
  qemuDirectory: `${directory}/qemu`,
};

/** What `qlaunch plan` finds wrong with a case. */
async function problems(name: string): Promise<Diagnostic[]> {
  const file = `${name}.json`;
  const { profile, diagnostics, locate } = await parseProfile(
    readFileSync(new URL(file, folder), "utf8"),
    file,
  );
  if (profile === undefined) return [...diagnostics];
  const plan = planVm({
    profile: resolvePaths(profile, "/vm"),
    places,
    ...world(name.split("@")[1] ?? "ol8"),
  });
  return locate([...diagnostics, ...(plan.ok ? plan.warnings : plan.diagnostics)]);
}

describe.each(cases)("%s", (name) => {
  it("is refused for its code, and told as in the text beside it", async () => {
    const found = await problems(name);
    const errors = found.filter(({ severity }) => severity === "error");
    expect(errors.map(({ code }) => code)).toContain(name.split(/[-@]/)[0]);
    expect(errors.filter(({ place }) => place === undefined)).toEqual([]);
    const text = `${renderDiagnostics(found, plain).join("\n")}\n`;
    await expect(text).toMatchFileSnapshot(`${name}.txt`);
  });
});

/** Codes that no profile alone brings about, with where they are tested. */
const notFromAProfile: Partial<Record<Code, string>> = {
  USAGE: "the command line",
  FILE_EXISTS: "a look at the file that is to be written",
  PROFILE_UNREADABLE: "the file itself",
  PCIE_LINK: "a warning, in test/plan/pcie-switch.test.ts",
  CDI_UNREADABLE: "another file",
  CDI_SYNTAX: "another file",
  CDI_SPEC: "another file",
  IMPORT_XML: "a domain of libvirt's",
  IMPORT_GUEST: "a domain of libvirt's",
  IMPORT_LOSS: "a domain of libvirt's",
  EXPORT_LOSS: "warnings, in test/export",
  ARGV_BYTE: "the schema refuses those bytes first; src/argv has the last word",
  HOST_SNAPSHOT: "a snapshot file",
  HOST_FILE_BUSY: "a look at the locks of files, by the preflight",
  HOST_FILE_FORMAT: "a look into the file, by the preflight",
  HOST_BRIDGE: "a look at the host's interfaces, by the preflight",
  HOST_PROGRAM_MISSING: "a look into PATH, by the preflight",
  HOST_LOCKED_MEMORY: "the limits of the process, by the preflight",
  HOST_DEVICE_DEAD: "the device's own answer, before a start and after an end",
  HOST_P2P: "a warning of the check",
  HOST_ACS: "the registers of the host's ports",
  HOST_DEVICE_BIND: "the kernel, when a device changes its driver",
  QEMU_ABSENT: "the host without QEMU",
  QEMU_TOO_OLD: "the QEMU program",
  QEMU_UNUSABLE: "the QEMU program",
  VM_RUNNING: "running VMs",
  VM_UNKNOWN: "running VMs",
  VM_STALE: "running VMs",
  VM_BUSY: "running VMs",
  VM_START_FAILED: "running VMs",
  VM_DIED: "running VMs",
  VM_PIN_FAILED: "running VMs",
  VM_MEMORY_POLICY: "running VMs",
  VM_STATE: "running VMs",
  VM_TIMEOUT: "running VMs",
  VM_CONSOLE: "running VMs",
  VERIFY_NO_PROBE: "running VMs",
  VERIFY_DIFFERENT: "running VMs",
  REHEARSE_IMAGES: "a simulated host",
  REHEARSE_HOST: "a simulated host",
  RUN_DIRECTORY: "the run directory",
  QMP_ERROR: "running VMs",
  QMP_DISCONNECTED: "running VMs",
  BUG: "never by intent",
};

describe("the cases", () => {
  it("have every code that a profile can bring about", () => {
    const covered = new Set(cases.map((name) => name.split(/[-@]/)[0]));
    // LIVE_ codes are about VMs that run: test/hotplug and test/e2e have them.
    const fromProfiles = Object.keys(codes).filter((code) => !code.startsWith("LIVE_"));
    const missing = fromProfiles.filter((code) => !covered.has(code) && !(code in notFromAProfile));
    expect(missing).toEqual([]);
  });

  it("have no code that is said to come from elsewhere, and none that does not exist", () => {
    const wrong = cases.filter((name) => {
      const code = name.split(/[-@]/)[0] ?? "";
      return !(code in codes) || code in notFromAProfile;
    });
    expect(wrong).toEqual([]);
  });

  it("have a profile for every text", () => {
    const texts = files.filter((file) => file.endsWith(".txt")).map((file) => file.slice(0, -".txt".length));
    expect(texts.filter((name) => !cases.includes(name))).toEqual([]);
  });
});
