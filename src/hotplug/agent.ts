import { type System, SystemError } from "../system/index.ts";
import { plannedAgent } from "./agent-plan.ts";
import { AgentError, AgentWire } from "./agent-wire.ts";
import type { LiveVm } from "./live.ts";

/** One CPU of the guest, by the number that the guest itself gives it. */
export interface GuestVcpu {
  readonly "logical-id": number;
  readonly online: boolean;
  readonly "can-offline"?: boolean;
}

export interface GuestMemoryBlock {
  readonly "phys-index": number;
  readonly online: boolean;
  readonly "can-offline"?: boolean;
}

/** How the agent did with one memory block. */
export interface GuestMemoryBlockResponse {
  readonly "phys-index": number;
  readonly response: "success" | "not-found" | "operation-not-supported" | "operation-failed";
  readonly "error-code"?: number;
}

/**
 * The guest agent's commands that live operations use.
 * @see https://www.qemu.org/docs/master/interop/qemu-ga-ref.html
 */
export interface AgentCommands {
  "guest-ping": { arguments: undefined; returns: unknown };
  "guest-get-vcpus": { arguments: undefined; returns: readonly GuestVcpu[] };
  /** How many of them, from the first on, were changed. */
  "guest-set-vcpus": { arguments: { vcpus: readonly GuestVcpu[] }; returns: number };
  "guest-get-memory-blocks": { arguments: undefined; returns: readonly GuestMemoryBlock[] };
  "guest-set-memory-blocks": {
    arguments: { "mem-blks": readonly GuestMemoryBlock[] };
    returns: readonly GuestMemoryBlockResponse[];
  };
  "guest-get-memory-block-info": { arguments: undefined; returns: { readonly size: number } };
}

type Name = keyof AgentCommands;

export interface Agent {
  /** @throws AgentError */
  execute<N extends Name>(
    name: N,
    ...args: AgentCommands[N]["arguments"] extends undefined ? [] : [AgentCommands[N]["arguments"]]
  ): Promise<AgentCommands[N]["returns"]>;
  close(): void;
}

/** Each command's limit. */
const commandMs = 5_000;

/** An agent behind a socket. @throws AgentError, SystemError */
export async function connectAgent(system: System, socket: string, timeoutMs = commandMs): Promise<Agent> {
  const wire = new AgentWire(await system.sockets.connect(socket));
  try {
    await wire.synchronize(timeoutMs);
  } catch (error) {
    wire.close();
    throw error;
  }
  return {
    execute: async (name, ...[args]) => (await wire.execute(name, args, timeoutMs)) as never,
    close: () => wire.close(),
  };
}

/**
 * Asks the guest's agent something.
 * @returns undefined when the guest has none that answers: no agent is no error. QEMU knows whether the guest has
 *   opened the agent's port, so nothing is waited for when it has not.
 */
export async function askAgent<T>(live: LiveVm, ask: (agent: Agent) => Promise<T>): Promise<T | undefined> {
  const end = plannedAgent(live);
  if (end === undefined) return undefined;
  const chardevs = await live.qmp.execute("query-chardev");
  if (!chardevs.some(({ label, "frontend-open": open }) => label === `${end.id}-chardev` && open))
    return undefined;
  let agent: Agent | undefined;
  try {
    agent = await connectAgent(live.system, end.socket);
    return await ask(agent);
  } catch (error) {
    if (!(error instanceof AgentError || error instanceof SystemError)) throw error;
    live.emit({ type: "notice", level: "warning", message: `the guest agent: ${error.message}` });
    return undefined;
  } finally {
    agent?.close();
  }
}
