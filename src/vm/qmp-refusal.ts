import { refusal } from "../errors/index.ts";
import { QmpCommandError, QmpDisconnectedError, QmpError, QmpTimeoutError } from "../qmp/index.ts";
import { explainWords } from "./death.ts";

/** What a monitor's failure means to the user; other errors stay as they are. */
export function asRefusal(error: unknown, name: string): unknown {
  if (error instanceof QmpCommandError) {
    const known = explainWords([error.desc]);
    return refusal(
      "QMP_ERROR",
      {
        found: `QEMU refused ${error.command}: ${error.desc}`,
        needed: known?.needed ?? "a command that QEMU accepts in this state",
        fix: known?.fix ?? `look at the VM's state: qlaunch info ${name}`,
        detail: `${error.class}: ${error.desc}`,
      },
      { cause: error },
    );
  }
  if (error instanceof QmpTimeoutError) {
    return refusal(
      "VM_TIMEOUT",
      {
        found: `QEMU of ${name} gave ${error.message}`,
        needed: "an answer",
        fix: `look whether it still works: qlaunch logs ${name}`,
      },
      { cause: error },
    );
  }
  if (error instanceof QmpDisconnectedError || error instanceof QmpError) {
    return refusal(
      "QMP_DISCONNECTED",
      {
        found: `the monitor of ${name} is gone: ${error.message}`,
        needed: "a QEMU that goes on",
        fix: `look why it ended: qlaunch logs ${name}`,
      },
      { cause: error },
    );
  }
  return error;
}
