import type { Code, Diagnostic, JsonPath } from "../errors/index.ts";
import type { Ledger } from "../host/ledger.ts";
import type { Host } from "../host/topology.ts";
import type { AnnotatedDevice, NumaCell, Profile } from "../profile/index.ts";
import { type IdSet, idUnion } from "../units/index.ts";
import type { CpuTopology } from "./cpu.ts";
import { type IdSpace, Ids } from "./ids.ts";
import type { QemuOption } from "./options.ts";
import type { SourceName } from "./sources.ts";
import type { Concern, ConsoleEnd, Decision, Helper, NeededFile } from "./types.ts";

/** What the planner works from. All of it is data. */
export interface PlanInput {
  readonly profile: Profile;
  readonly host: Host;
  /** What other running VMs hold. */
  readonly ledger: Ledger;
  readonly places: Places;
  /** What the CDI files of the profile say. Default: it names none. */
  readonly annotated?: readonly AnnotatedDevice[];
  /** Kept from an earlier start; the profile's own wins. */
  readonly uuid?: string;
  /** The QEMU program; default: the host's. */
  readonly program?: string;
}

/** Where a VM's files are. */
export interface Places {
  readonly directory: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly qmpSocket: string;
  readonly monitorSocket: string;
  /** Folder that QEMU itself may write to. */
  readonly qemuDirectory: string;
}

/** Cells that no profile wrote, and the processors that go with them. */
export interface MadeCells {
  readonly cells: readonly NumaCell[];
  readonly topology: CpuTopology;
}

interface Problem {
  readonly found: string;
  readonly needed: string;
  readonly fix: string;
}

/** A decision that names its document; the finished plan has its URL. */
type DraftDecision = Omit<Decision, "source"> & { readonly source: SourceName };

/** The plan while it is made: each concern adds its decisions, options and problems; none stops at the first. */
export class Draft {
  readonly profile: Profile;
  readonly host: Host;
  readonly ledger: Ledger;
  readonly places: Places;
  readonly annotated: readonly AnnotatedDevice[];
  readonly options: QemuOption[] = [];
  /** Devices on buses that other devices make; they come after the PCI tree. */
  readonly leaves: QemuOption[] = [];
  readonly decisions: DraftDecision[] = [];
  readonly problems: Diagnostic[] = [];
  private readonly ids = new Ids();
  readonly files: NeededFile[] = [];
  readonly helpers: Helper[] = [];
  readonly consoles: ConsoleEnd[] = [];
  readonly copies: { source: string; target: string }[] = [];
  /** What a partition makes of the host's nodes; undefined without one. */
  made: MadeCells | undefined;

  constructor(input: PlanInput) {
    this.profile = input.profile;
    this.host = input.host;
    this.ledger = input.ledger;
    this.places = input.places;
    this.annotated = input.annotated ?? [];
  }

  /** The guest's cells, as the profile writes or its partition makes them; undefined for a guest without. */
  get cells(): readonly NumaCell[] | undefined {
    return this.made?.cells ?? this.profile.numa?.cells;
  }

  /** Where the profile says this of a cell. */
  cellPath(id: number, key: keyof NumaCell): JsonPath {
    return this.made ? ["numa", "partition"] : ["numa", "cells", id, key];
  }

  /** Host CPUs that automatic pinning leaves alone. */
  get reserved(): IdSet {
    const { reserve } = this.profile.pinning;
    if (reserve !== "first-core") return reserve;
    const firstCores = this.host.nodes.map(
      ({ cpus }) => this.host.cpus.find(({ id }) => id === cpus[0])?.siblings ?? [],
    );
    return idUnion(firstCores);
  }

  /** The guest gets devices of the host, by entries or CDI files. */
  get passesDevices(): boolean {
    return this.profile.passthrough.devices.length + this.annotated.length > 0;
  }

  /** Records a decision and answers its id, for the options that follow from it. */
  decide(
    concern: Concern,
    id: string,
    decision: { value: string; rule: string; facts?: readonly string[]; source: SourceName },
  ): string {
    this.decisions.push({ id, concern, facts: [], ...decision });
    return id;
  }

  add(...options: readonly QemuOption[]): void {
    this.options.push(...options);
  }

  addLeaf(...options: readonly QemuOption[]): void {
    this.leaves.push(...options);
  }

  /** Takes a name for one thing; refuses when something else has it. Names made from one id are one problem. */
  claimId(space: IdSpace, id: string, path: JsonPath): void {
    const problem = this.ids.claim(space, id, path);
    if (!problem) return;
    const place = path.join("/");
    const isKnown = this.problems.some(
      (known) => known.code === problem.code && known.path.join("/") === place,
    );
    if (!isKnown) this.problems.push(problem);
  }

  /** "gpu0" and on, the first that no device has and that is not taken. */
  freeDeviceId(word: string, taken: ReadonlySet<string>): string {
    let number = 0;
    while (taken.has(`${word}${number}`) || this.ids.has("device", `${word}${number}`)) number++;
    return `${word}${number}`;
  }

  refuse(code: Code, path: JsonPath, problem: Problem): void {
    this.problems.push({ code, severity: "error", path, ...problem });
  }

  warn(code: Code, path: JsonPath, problem: Problem): void {
    this.problems.push({ code, severity: "warning", path, ...problem });
  }
}
