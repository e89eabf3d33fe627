import type { Diagnostic } from "../../errors/index.ts";
import type { Reading } from "./reading.ts";

/** Why a domain is no guest that qlaunch can have: everything that is, at once. */
export function refusalsOf(domain: Reading): readonly Diagnostic[] {
  const type = domain.one("os")?.one("type");
  const launch = domain.one("launchSecurity");
  const [driver, arch, kind] = [domain.attribute("type"), type?.attribute("arch"), type?.text()];
  const problems: Diagnostic[] = [];
  if (driver !== undefined && !["kvm", "qemu", "hvf"].includes(driver)) {
    problems.push(
      refusal(domain, {
        found: `a domain of type "${driver}", which another hypervisor runs`,
        needed: 'type "kvm" or "qemu"',
        fix: "convert the guest first (virt-v2v does it), and give its new domain",
      }),
    );
  }
  if (type && arch !== undefined && !["x86_64", "i686"].includes(arch)) {
    problems.push(
      refusal(type, {
        found: `a guest of the architecture ${arch}`,
        needed: "x86_64 or i686, which qlaunch's board and processors are of",
        fix: "leave this guest to libvirt",
      }),
    );
  }
  if (type && kind !== undefined && kind !== "hvm") {
    problems.push(
      refusal(type, {
        found: `a guest of the kind "${kind}"`,
        needed: '"hvm", a whole machine',
        fix: "leave this guest to libvirt",
      }),
    );
  }
  if (launch) {
    problems.push(
      refusal(launch, {
        found: `launchSecurity${quoted(launch.attribute("type"))}: the guest is kept secret from its host`,
        needed: "a guest that may run without this protection",
        fix: "leave this guest to libvirt, or take launchSecurity out of the domain if nothing depends on it",
      }),
    );
  }
  return problems;
}

function quoted(text: string | undefined): string {
  return text === undefined ? "" : ` "${text}"`;
}

function refusal(
  { node: { line, column } }: Reading,
  { found, needed, fix }: Pick<Diagnostic, "found" | "needed" | "fix">,
): Diagnostic {
  return {
    code: "IMPORT_GUEST",
    severity: "error",
    path: [],
    found: `line ${line}, column ${column}: ${found}`,
    needed,
    fix,
  };
}
