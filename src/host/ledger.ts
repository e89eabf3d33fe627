/** What the running guests of this host hold, one entry a VM, by name. The planner keeps away from it. */
export type Ledger = readonly Holding[];

export interface Holding {
  readonly vm: string;
  /** Host CPUs that one vCPU of that VM has for itself. */
  readonly exclusiveCpus: readonly number[];
  /** Its memory, by cell. Absent: not known. */
  readonly memory?: readonly HeldMemory[];
  /** Addresses of the PCI functions that it has, companions that are only bound among them. Absent: none. */
  readonly pciFunctions?: readonly string[];
}

export interface HeldMemory {
  readonly bytes: number;
  /** 0 for ordinary pages. */
  readonly pageSizeBytes: number;
  /** Where it is bound to; undefined: anywhere. */
  readonly hostNodes: readonly number[] | undefined;
}
