import type { Files } from "../system/index.ts";
import type { ProcessIdentity } from "./process.ts";
import { type VmRecord, writeRecord } from "./record.ts";
import type { UndoAction, UndoEntry } from "./undo.ts";

/** The option in front of the argument that every QEMU of a VM has for itself. */
export const pidFileMark = "-pidfile";

/** The record of a VM while a command changes it: every change is in the file before the next thing is done. */
export class Journal {
  readonly #files: Files;
  readonly #directory: string;
  #record: VmRecord;

  constructor(files: Files, directory: string, record: VmRecord) {
    this.#files = files;
    this.#directory = directory;
    this.#record = record;
  }

  get record(): VmRecord {
    return this.#record;
  }

  update(changes: Partial<VmRecord>): void {
    this.#record = { ...this.#record, ...changes };
    writeRecord(this.#files, this.#directory, this.#record);
  }

  /** Notes how to take back what was just done. */
  register(step: string, action: UndoAction): void {
    this.update({ undo: [...this.#record.undo, { step, action }] });
  }

  /**
   * Notes how to give devices back: before QEMU in the list, also when it runs, so that it ends first. What is noted of
   * a device already stays: it is how it was before this VM.
   */
  registerDevices(entries: readonly UndoEntry[]): void {
    const { undo } = this.#record;
    const known = new Set(undo.flatMap(({ action }) => addressOf(action) ?? []));
    const fresh = entries.filter(({ action }) => !known.has(addressOf(action) ?? ""));
    const qemu = undo.findIndex(
      ({ action }) => action.do === "end-process" && action.marks[0] === pidFileMark,
    );
    this.update({ undo: qemu === -1 ? [...undo, ...fresh] : undo.toSpliced(qemu, 0, ...fresh) });
  }

  /** Notes that a device is the host's again. */
  forgetDevice(address: string): void {
    const { undo, pciFunctions = [] } = this.#record;
    this.update({
      undo: undo.filter(({ action }) => addressOf(action) !== address),
      pciFunctions: pciFunctions.filter((held) => held !== address),
    });
  }

  /**
   * Notes a process before it is started, so that one is found whose starter died at once.
   * @returns a function that notes which process it became
   */
  expectProcess(step: string, marks: readonly string[]): (process: ProcessIdentity) => void {
    this.register(step, { do: "end-process", process: null, marks });
    const index = this.#record.undo.length - 1;
    return (process) => {
      const undo = this.#record.undo.with(index, {
        step,
        action: { do: "end-process", process, marks },
      });
      this.update({ undo });
    };
  }
}

const addressOf = (action: UndoAction) => (action.do === "give-back-device" ? action.address : undefined);
