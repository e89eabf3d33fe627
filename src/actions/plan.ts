import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import type { Host, Ledger } from "../host/index.ts";
import { type Plan, type PlanInput, planVm } from "../plan/index.ts";
import { type WhyNot, whyNot } from "../plan/why-not.ts";
import type { Profile } from "../profile/index.ts";
import type { System } from "../system/index.ts";
import { keptUuid, placesFor, readLedger, runRoot } from "../vm/index.ts";
import { readCdiFiles } from "./cdi.ts";
import { findHost, type HostChoice } from "./host.ts";
import { type LoadedProfile, loadProfile } from "./profile.ts";

export interface PlanRequest extends HostChoice {
  readonly profileFile: string;
  /** False for a dry run: nothing is started, nothing written. */
  readonly mayStart: boolean;
}

export interface Planned {
  readonly plan: Plan;
  readonly profile: Profile;
  readonly profileText: string;
  readonly host: Host;
  /** What other VMs held. */
  readonly ledger: Ledger;
  readonly warnings: readonly Diagnostic[];
  /** Gives later problems their places in the profile. */
  locate(diagnostics: readonly Diagnostic[]): Promise<readonly Diagnostic[]>;
}

/** Where a VM's files would be on another host: the planner of a snapshot knows no user. */
const snapshotRunRoot = "/run/qlaunch";

/** All that the planner works from, and what was found on the way to it. */
interface Reading {
  readonly loaded: LoadedProfile & { readonly profile: Profile };
  readonly input: PlanInput;
  readonly warnings: readonly Diagnostic[];
  /** Of CDI files. */
  readonly problems: readonly Diagnostic[];
}

/** @throws QlaunchError when the profile or the host cannot be read */
async function readInput(system: System, request: PlanRequest): Promise<Reading> {
  const loaded = await loadProfile(system, request.profileFile);
  const { profile, reading } = loaded;
  if (!profile) throw new QlaunchError(reading.diagnostics);
  const cdi = await readCdiFiles(system, profile);
  const { devices, cdi: cdiFiles } = profile.passthrough;
  const found = await findHost(system, {
    ...request,
    kvm: profile.machine.accel !== "tcg",
    firmware: typeof profile.machine.firmware === "object",
    pci: devices.length + cdiFiles.length > 0 || profile.pcie.mirror !== false,
    requireQemu: request.mayStart,
  });
  const { host, warnings } = assumeKvm(found, profile);
  const elsewhere = request.snapshot !== undefined;
  const root = elsewhere ? snapshotRunRoot : runRoot(system);
  const uuid = elsewhere ? undefined : keptUuid(system, profile.name);
  const input: PlanInput = {
    profile,
    host,
    ledger: elsewhere ? [] : othersOf(readLedger(system), profile.name),
    places: placesFor(root, profile.name),
    annotated: cdi.devices,
    ...(uuid === undefined ? {} : { uuid }),
  };
  return { loaded: { ...loaded, profile }, input, warnings, problems: cdi.problems };
}

/**
 * Plans a profile for this host or a snapshot.
 * @throws QlaunchError with every problem of the profile and every rule it breaks, in the order of the file
 */
export async function planProfile(system: System, request: PlanRequest): Promise<Planned> {
  const { loaded, input, warnings, problems: before } = await readInput(system, request);
  const { reading, profile } = loaded;
  const { host, ledger } = input;
  const result = planVm(input);
  const planned = result.ok ? [...warnings, ...result.warnings] : result.diagnostics;
  const problems = [...before, ...planned];
  if (!result.ok || reading.diagnostics.length + before.length > 0) {
    throw await allProblems(loaded, problems);
  }
  return {
    plan: result.value,
    profile,
    profileText: loaded.text,
    host,
    ledger,
    warnings: await reading.locate(problems),
    locate: (diagnostics) => reading.locate(diagnostics),
  };
}

/**
 * The fewest things that keep a profile from being started here or on the host of a snapshot.
 * @throws QlaunchError with every problem of the profile
 */
export async function explainWhyNot(
  system: System,
  request: PlanRequest,
): Promise<{ name: string; answer: WhyNot }> {
  const { input, loaded } = await readInput(system, request);
  const answer = whyNot(input);
  if (answer.kind !== "never") return { name: input.profile.name, answer };
  throw await allProblems(loaded, answer.diagnostics);
}

async function allProblems(
  { reading }: LoadedProfile,
  problems: readonly Diagnostic[],
): Promise<QlaunchError> {
  return new QlaunchError(await reading.locate([...reading.diagnostics, ...problems]));
}

/** A dry run may not try KVM; where nothing speaks against it, the plan counts on it and says so. */
function assumeKvm(host: Host, profile: Profile): { host: Host; warnings: Diagnostic[] } {
  if (host.kvm.usable || !host.kvm.untried || profile.machine.accel === "tcg") return { host, warnings: [] };
  const { diagnostics } = refusal("HOST_KVM", {
    found: "KVM has not been tried since this machine started; the plan counts on it",
    needed: "a trial, which `qlaunch up` and `qlaunch host show` make",
    fix: "run `qlaunch host show` once",
  });
  return {
    host: { ...host, kvm: { usable: true, reason: "" } },
    warnings: diagnostics.map((diagnostic) => ({
      ...diagnostic,
      severity: "warning",
      path: ["machine", "accel"],
    })),
  };
}

/** A VM that is started again does not stand in its own way. */
function othersOf(ledger: Ledger, name: string): Ledger {
  return ledger.filter((holding) => holding.vm !== name);
}
