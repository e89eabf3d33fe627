import type { ImportContext } from "./context.ts";
import type { Reading } from "./reading.ts";

/** libvirt's namespace for what it does not know itself. @see https://libvirt.org/kbase/qemu-passthrough-security.html */
export const libvirtQemu = "{http://libvirt.org/schemas/domain/qemu/1.0}";

type FirmwareEntry = NonNullable<ImportContext["profile"]["fwCfg"]>[number];

/** One entry, by a name and a text or a file alone; QEMU reads two commas as one of the text. */
function firmwareEntry(argument: string): [FirmwareEntry] | undefined {
  const pairs = argument
    .replaceAll(",,", "\0")
    .split(",")
    .map((pair) => pair.replaceAll("\0", ","));
  const match = /^name=(?<name>opt\/[\x21-\x7e]{1,51})$/.exec(pairs[0] ?? "");
  const [, key, value = ""] = /^(string|file)=(\P{Cc}+)$/u.exec(pairs[1] ?? "") ?? [];
  const name = match?.groups?.name;
  if (name === undefined || key === undefined || pairs.length !== 2) return undefined;
  if (key === "string") return [{ name, string: value }];
  return value.startsWith("/") ? [{ name, file: value }] : undefined;
}

/** Arguments for QEMU that libvirt passes on as they are. */
export function readExtraArguments(domain: Reading, { profile }: ImportContext): void {
  const line = domain.one(`${libvirtQemu}commandline`);
  const given = line?.all(`${libvirtQemu}arg`) ?? [];
  const rest: string[] = [];
  for (let index = 0; index < given.length; index++) {
    const [arg, next] = [given[index], given[index + 1]];
    const value = arg?.attribute("value") ?? "";
    const second = next?.attribute("value") ?? "";
    if (value === "-fw_cfg" && /opt\/ovmf\/X-PciMmio64Mb\b/.test(second)) {
      arg?.improve("the size of the 64-bit window is computed from the devices: pcie.mmio64");
      next?.improve(`"${second}" is computed`);
      index++;
    } else if (value === "-fw_cfg" && firmwareEntry(second)) {
      profile.fwCfg = [...(profile.fwCfg ?? []), ...(firmwareEntry(second) ?? [])];
      arg?.improve("an entry of the firmware's device: fwCfg has it, with all checks");
      next?.improve(`"${second}" is in fwCfg`);
      index++;
    } else {
      rest.push(value);
      arg?.improve("passed on as it is, outside of all checks: see whether the profile has a key for it");
    }
  }
  if (rest.length > 0) profile.extraArgs = rest;
  for (const env of line?.all(`${libvirtQemu}env`) ?? []) env.drop("QEMU gets no environment variables");
  for (const name of ["capabilities", "deprecation"]) {
    domain.one(`${libvirtQemu}${name}`)?.drop("for libvirt alone");
  }
}
