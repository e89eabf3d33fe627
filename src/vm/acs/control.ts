import { refusal } from "../../errors/index.ts";
import { type Files, type System, SystemError } from "../../system/index.ts";
import { type AcsRegisters, describeAcs } from "../../units/index.ts";
import { functionFolder } from "../vfio/pci-function.ts";

/** A port with Access Control Services, as it is now. */
export interface AcsPort extends AcsRegisters {
  readonly address: string;
  /** Of the control register in config space. */
  readonly controlOffset: number;
}

const configOf = (address: string) => `${functionFolder(address)}/config`;

/**
 * Config space beyond what drivers own is root's alone, and a kernel that is locked down has it closed to root as well.
 * @see https://man7.org/linux/man-pages/man7/kernel_lockdown.7.html
 * @throws QlaunchError HOST_ACS
 */
export function checkMayWrite({ files, user }: System): void {
  if (user.uid !== 0) {
    throw refusal("HOST_ACS", {
      found: `you are user ${user.uid}`,
      needed: "root, who alone may write to the configuration space of ports",
      fix: "run it as root",
    });
  }
  const mode = /\[(\w+)\]/.exec(files.tryReadText("/sys/kernel/security/lockdown") ?? "")?.[1] ?? "none";
  if (mode === "none") return;
  throw refusal("HOST_ACS", {
    found: `the kernel is locked down (${mode}), and lets nobody write to configuration space`,
    needed: "a kernel that is not locked down",
    fix: "switch Secure Boot off in the firmware, or leave lockdown= out of the kernel's command line",
  });
}

/** Writes the control register and reads it back. @throws QlaunchError HOST_ACS when the port has something else then */
export function writeControl(files: Files, port: AcsPort, control: number): void {
  const { address, capability, controlOffset } = port;
  const word = Buffer.alloc(2);
  word.writeUInt16LE(control);
  let now: number;
  try {
    files.writePart(configOf(address), controlOffset, word);
    now = files.readPart(configOf(address), controlOffset, 2).readUInt16LE();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw refusal(
      "HOST_ACS",
      {
        found: `${address}: the kernel refused to change its access control (${error.code})`,
        needed: "the right to write to its configuration space",
        fix:
          error.code === "EROFS"
            ? "run it outside of the container, or mount sysfs read-write in it"
            : "look at the kernel's log: dmesg | tail",
        detail: error.message,
      },
      { cause: error },
    );
  }
  if (now === control) return;
  const told = (value: number) => describeAcs({ capability, control: value });
  throw refusal("HOST_ACS", {
    found: `${address} has ${told(now)} after ${told(control)} was written`,
    needed: "a port that takes what it says it can",
    fix: "name the other ports alone, and report the port to its vendor",
  });
}
