import type { Diagnostic } from "../errors/index.ts";
import type { System } from "../system/index.ts";
import { identify } from "../vm/process.ts";
import { advance, type Operation, type OperationRequest, type OperationState } from "./operation.ts";
import { createOperation, writeOperation } from "./operation-store.ts";

/**
 * An operation while a command works on it: every change is in its file before the next thing is done, but those that a
 * later command finds out by looking.
 */
export class OperationJournal {
  readonly #system: System;
  readonly #directory: string;
  #operation: Operation;

  private constructor(system: System, directory: string, operation: Operation) {
    this.#system = system;
    this.#directory = directory;
    this.#operation = operation;
  }

  /** Notes a new operation, in the state requested. */
  static create(system: System, directory: string, request: OperationRequest): OperationJournal {
    const made = { worker: ourselves(system), atMs: system.clock.now() };
    return new OperationJournal(system, directory, createOperation(system.files, directory, request, made));
  }

  /** Goes on with one that another command began. */
  static takeUp(system: System, directory: string, operation: Operation): OperationJournal {
    const journal = new OperationJournal(system, directory, operation);
    journal.#write({ ...operation, worker: ourselves(system) });
    return journal;
  }

  get operation(): Operation {
    return this.#operation;
  }

  /** Notes a state that was reached. The state it is in is noted again only with something to say. */
  enter(state: OperationState, note = ""): void {
    if (state === this.#operation.state && note === "") return;
    this.#write(advance(this.#operation, state, this.#system.clock.now(), note));
  }

  /**
   * Notes a state that is written with the next one: whoever takes the operation up in the state before comes to this one
   * by looking at QEMU.
   */
  pass(state: OperationState, note = ""): void {
    this.#operation = advance(this.#operation, state, this.#system.clock.now(), note);
  }

  /** Notes something that a later command has to know. */
  remember(request: Readonly<Record<string, unknown>>): void {
    this.#write({ ...this.#operation, request: { ...this.#operation.request, ...request } });
  }

  /** Ends it with a problem. */
  fail(state: "failed" | "undone", problem: Diagnostic): void {
    this.#write(advance(this.#operation, state, this.#system.clock.now(), problem.found, problem));
  }

  /** Leaves it to a later command, in the state it is in. */
  leave(): void {
    this.#write({ ...this.#operation, worker: null });
  }

  #write(operation: Operation): void {
    this.#operation = operation;
    writeOperation(this.#system.files, this.#directory, operation);
  }
}

const ourselves = (system: System) => identify(system.files, process.pid) ?? null;
