import { refusal } from "../../errors/index.ts";
import { type Files, SystemError } from "../../system/index.ts";
import { absent, dead } from "./health.ts";
import {
  answers,
  type Binding,
  functionFolder,
  hasDriver,
  pciBus,
  readBinding,
  vfioPci,
} from "./pci-function.ts";

/**
 * Gives a function to vfio-pci; one that it has already is left as it is. What it had before must be noted already.
 * Each write may block as long as the old driver takes to let go.
 * @see https://docs.kernel.org/driver-api/vfio.html
 * @throws QlaunchError HOST_DEVICE_ABSENT, HOST_DEVICE_BIND
 */
export function bindToVfio(files: Files, address: string): void {
  const before = readBinding(files, address);
  if (before === undefined) throw absent(address);
  if (before.driver === vfioPci) return;
  const from = before.driver ?? "no driver";
  try {
    files.write(`${functionFolder(address)}/driver_override`, vfioPci);
    if (before.driver !== null) files.write(`${functionFolder(address)}/driver/unbind`, address);
    attach(files, address, vfioPci);
  } catch (error) {
    throw explain(error, `${address} could not be taken from ${from}`, takingFix(address));
  }
  const now = readBinding(files, address)?.driver ?? "no driver";
  if (now === vfioPci) return;
  throw refusal("HOST_DEVICE_BIND", {
    found: `${address} was taken from ${from}, and ${now} has it`,
    needed: `${vfioPci} as its driver`,
    fix: takingFix(address),
  });
}

/**
 * Gives a function back to what it had. It may be done again from wherever it stopped, and does nothing to a function
 * that is gone or that somebody gave to another driver meanwhile.
 * @throws QlaunchError HOST_DEVICE_BIND, HOST_DEVICE_DEAD
 */
export function giveBack(files: Files, address: string, was: Binding): void {
  const now = readBinding(files, address);
  if (now === undefined || was.driver === vfioPci) return;
  try {
    // First of all: whatever probes it from here on finds its own driver.
    if (now.override === vfioPci && was.override !== vfioPci) {
      files.write(`${functionFolder(address)}/driver_override`, `${was.override ?? ""}\n`);
    }
    if (now.driver === vfioPci) files.write(`${functionFolder(address)}/driver/unbind`, address);
    if (readBinding(files, address)?.driver !== null) return;
    if (!answers(files, address)) throw dead(address);
    if (was.driver === null) return;
    attach(files, address, was.driver);
  } catch (error) {
    if (readBinding(files, address) === undefined) return;
    throw explain(error, `${address} could not be given back to ${was.driver}`, returningFix(address, was));
  }
  if (readBinding(files, address)?.driver !== null) return;
  throw refusal("HOST_DEVICE_BIND", {
    found: `${address} was given back to ${was.driver}, which does not take it`,
    needed: `${was.driver} as its driver, as before`,
    fix: returningFix(address, was),
  });
}

/**
 * Gives a function that is on vfio-pci to whichever driver the kernel finds for it. One that has another driver is left
 * as it is.
 * @throws QlaunchError HOST_DEVICE_ABSENT, HOST_DEVICE_BIND
 */
export function releaseFromVfio(files: Files, address: string): void {
  const before = readBinding(files, address);
  if (before === undefined) throw absent(address);
  try {
    if (before.override === vfioPci) files.write(`${functionFolder(address)}/driver_override`, "\n");
    if (before.driver === vfioPci) files.write(`${functionFolder(address)}/driver/unbind`, address);
    if (readBinding(files, address)?.driver === null) files.write(`${pciBus}/drivers_probe`, address);
  } catch (error) {
    throw explain(error, `${address} could not be taken from ${vfioPci}`, takingFix(address));
  }
}

/** The driver itself says why it refuses; when it is not loaded, whichever fits is asked. */
function attach(files: Files, address: string, driver: string): void {
  files.write(
    hasDriver(files, driver) ? `${pciBus}/drivers/${driver}/bind` : `${pciBus}/drivers_probe`,
    address,
  );
}

const takingFix = (address: string) =>
  `end what uses it, look at what the kernel says: dmesg | grep ${address}; then try again`;

const returningFix = (address: string, { driver }: Binding) =>
  `load its driver (modprobe), look at what the kernel says: dmesg | grep ${address}; then: echo ${address} > ${pciBus}/drivers/${driver}/bind`;

function explain(error: unknown, found: string, fix: string): unknown {
  if (!(error instanceof SystemError)) return error;
  return refusal(
    "HOST_DEVICE_BIND",
    {
      found: `${found}: the kernel refused (${error.code})`,
      needed: "the kernel to move it from one driver to another",
      fix: fixes[error.code] ?? fix,
      detail: error.message,
    },
    { cause: error },
  );
}

const readOnly = "run it as root, and where sysfs can be written: a container needs it mounted read-write";

const fixes: Readonly<Record<string, string>> = { EACCES: readOnly, EPERM: readOnly, EROFS: readOnly };
