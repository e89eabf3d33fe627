import { describe, expect, it } from "vitest";
import { importDomain } from "../../../src/import/libvirt/index.ts";

const domain = (attributes: string, type: string, inside = "") =>
  `<domain ${attributes}><name>vm</name><memory unit='GiB'>1</memory><os>${type}</os>${inside}<devices/></domain>`;
const x86 = "<type arch='x86_64' machine='q35'>hvm</type>";

function foundIn(text: string): string[] {
  const result = importDomain(text);
  return result.ok ? [] : result.diagnostics.map(({ code, found }) => `${code} ${found}`);
}

describe("a guest that qlaunch cannot have is refused with its place:", () => {
  it.each([
    [domain("type='xen'", x86), 'line 1, column 1: a domain of type "xen", which another hypervisor runs'],
    [
      domain("type='kvm'", "<type arch='aarch64' machine='virt'>hvm</type>"),
      "line 1, column 68: a guest of the architecture aarch64",
    ],
    [domain("type='kvm'", "<type>exe</type>"), 'line 1, column 68: a guest of the kind "exe"'],
    [
      domain("type='kvm'", x86, "<launchSecurity type='sev-snp'/>"),
      'line 1, column 117: launchSecurity "sev-snp": the guest is kept secret from its host',
    ],
  ])("%s", (text, expected) => {
    expect(foundIn(text)).toEqual([`IMPORT_GUEST ${expected}`]);
  });

  it("all reasons at once", () => {
    const text = domain("type='lxc'", "<type arch='s390x'>exe</type>", "<launchSecurity type='s390-pv'/>");
    expect(foundIn(text)).toHaveLength(4);
  });
});

it.each(["type='kvm'", "type='qemu'", "type='hvf'", ""])("a domain with %j is taken over", (attributes) => {
  expect(foundIn(domain(attributes, x86))).toEqual([]);
});
