import { importDomain, type ReportLine } from "../../../src/import/libvirt/index.ts";

/** A domain with what is given beside its name, its vCPUs and its memory. */
export function domain(
  inside: string,
  { devices = "", vcpus = 2 }: { devices?: string; vcpus?: number } = {},
): string {
  return `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>vm</name>
  <memory unit='GiB'>2</memory>
  <vcpu>${vcpus}</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  ${inside}
  <devices>${devices}</devices>
</domain>`;
}

export function imported(text: string, options: Parameters<typeof importDomain>[1] = {}) {
  const result = importDomain(text, options);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result;
}

/** The lines of one verdict, "path: note". */
export const told = (report: readonly ReportLine[], verdict: ReportLine["verdict"]) =>
  report.filter((line) => line.verdict === verdict).map(({ path, note }) => `${path}: ${note}`);
