import type { Command } from "./command.ts";

/** @param part the part of the command that is wanted, where it has parts */
export type AddCommand = (program: Command, part?: string) => void;

/** Each command, by its name, under the heading that help has for it; its module is loaded when it is wanted. */
export const groups: Readonly<Record<string, Readonly<Record<string, () => Promise<AddCommand>>>>> = {
  "Before a start:": {
    plan: async () => (await import("./commands/plan.ts")).addPlan,
    check: async () => (await import("./commands/check.ts")).addCheck,
    "why-not": async () => (await import("./commands/why-not.ts")).addWhyNot,
    import: async () => (await import("./commands/import.ts")).addImport,
    rehearse: async () => (await import("./commands/rehearse.ts")).addRehearse,
    nccl: async () => (await import("./commands/nccl.ts")).addNccl,
  },
  "Start and stop:": {
    up: async () => (await import("./commands/up.ts")).addUp,
    run: async () => (await import("./commands/run.ts")).addRun,
    down: async () => (await import("./commands/down.ts")).addDown,
    pause: async () => (await import("./commands/control.ts")).addPause,
    resume: async () => (await import("./commands/control.ts")).addResume,
    reset: async () => (await import("./commands/control.ts")).addReset,
  },
  "Change a running VM:": {
    setvcpus: async () => (await import("./commands/setvcpus.ts")).addSetVcpus,
    memory: async () => (await import("./commands/memory.ts")).addMemory,
    device: async () => (await import("./commands/device.ts")).addDevice,
    ops: async () => (await import("./commands/ops.ts")).addOps,
  },
  "Look:": {
    ps: async () => (await import("./commands/ps.ts")).addPs,
    info: async () => (await import("./commands/info.ts")).addInfo,
    vcpus: async () => (await import("./commands/vcpus.ts")).addVcpus,
    verify: async () => (await import("./commands/verify.ts")).addVerify,
    logs: async () => (await import("./commands/logs.ts")).addLogs,
    console: async () => (await import("./commands/console.ts")).addConsole,
    events: async () => (await import("./commands/events.ts")).addEvents,
    qmp: async () => (await import("./commands/qmp.ts")).addQmp,
  },
  "The host and the profile format:": {
    host: async () => (await import("./commands/host.ts")).addHost,
    vfio: async () => (await import("./commands/vfio.ts")).addVfio,
    acs: async () => (await import("./commands/acs.ts")).addAcs,
    schema: async () => (await import("./commands/schema.ts")).addSchema,
    completion: async () => (await import("./commands/completion.ts")).addCompletion,
    __rehearse: async () => (await import("./commands/rehearse.ts")).addRehearsalParts,
  },
};
