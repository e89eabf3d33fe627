import { describeByteSize } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import { sources } from "./sources.ts";

const mebibyte = 2 ** 20;

/** OVMF with a variable store of the VM's own, and the 64-bit window for device memory. */
export function planFirmware(draft: Draft): void {
  const { firmware } = draft.profile.machine;
  if (firmware === "seabios") {
    draft.decide("firmware", "firmware.seabios", {
      value: "SeaBIOS",
      rule: "The machine type's own firmware, which starts fastest.",
      source: sources.q35,
    });
    planMmio64(draft, "seabios");
    return;
  }
  const { secureBoot } = firmware.ovmf;
  const image = draft.host.firmware?.find((candidate) => candidate.secureBoot === secureBoot);
  const code = firmware.ovmf.code ?? image?.code;
  const vars = firmware.ovmf.vars ?? image?.vars;
  const path = ["machine", "firmware", "ovmf"];
  if (!code || !vars) {
    draft.refuse("HOST_FILE_MISSING", path, {
      found: `no OVMF image${secureBoot ? " with Secure Boot" : ""} on this host`,
      needed: "the firmware's code and variable store",
      fix: "install it (Debian: apt-get install ovmf), or name code and vars",
    });
  }
  const because = draft.decide("firmware", "firmware.ovmf", {
    value: code ?? "OVMF",
    rule: "The code is mapped read-only and shared; each VM has a copy of the variable store, kept in its run directory.",
    facts: vars ? [`variables from ${vars}`] : [],
    source: sources.ovmf,
  });
  // What QEMU calls the two flash chips; no disk may have the name.
  for (const unit of [0, 1]) draft.claimId("block node", `pflash${unit}`, path);
  if (code && vars) {
    const target = `${draft.places.qemuDirectory}/ovmf-vars.fd`;
    draft.copies.push({ source: vars, target });
    draft.files.push(
      { path: code, access: "read", kind: "file", profilePath: [...path, "code"], what: "OVMF code" },
      {
        path: vars,
        access: "read",
        kind: "file",
        profilePath: [...path, "vars"],
        what: "OVMF variable store",
      },
    );
    draft.add(
      {
        option: "drive",
        properties: { if: "pflash", format: "raw", unit: 0, readonly: true, file: code },
        because: [because],
      },
      {
        option: "drive",
        properties: { if: "pflash", format: "raw", unit: 1, file: target },
        because: [because],
      },
    );
    if (secureBoot) {
      draft.add({
        option: "global",
        properties: { driver: "cfi.pflash01", property: "secure", value: "on" },
        because: [because],
      });
    }
  }
  planMmio64(draft, "ovmf");
}

/**
 * Size of the 64-bit PCI window. OVMF reads it from the firmware configuration device in decimal MiB, and SeaBIOS
 * takes what the host bridge says.
 * @see https://github.com/tianocore/edk2/blob/master/OvmfPkg/Library/PlatformInitLib/MemDetect.c
 */
function planMmio64(draft: Draft, firmware: "seabios" | "ovmf"): void {
  const { mmio64 } = draft.profile.pcie;
  if (mmio64 === "auto") {
    draft.decide("firmware", "firmware.mmio64", {
      value: "left to the firmware",
      rule: "Without devices of large BARs the firmware's own window is enough.",
      source: sources.ovmfMmio64,
    });
    return;
  }
  const path = ["pcie", "mmio64"];
  if (mmio64 < 2 ** 30 || mmio64 > 2 ** 44 || mmio64 % mebibyte !== 0) {
    draft.refuse("HOST_ADDRESS_BITS", path, {
      found: `a window of ${describeByteSize(mmio64)}`,
      needed: "1 GiB to 16 TiB: OVMF ignores what is larger",
      fix: 'write a size such as "64G", or "auto"',
    });
  }
  const because = draft.decide("firmware", "firmware.mmio64", {
    value: describeByteSize(mmio64),
    rule:
      firmware === "ovmf"
        ? "OVMF takes the window's size from opt/ovmf/X-PciMmio64Mb, in decimal MiB."
        : "The host bridge tells the firmware how much 64-bit space to leave for devices.",
    source: sources.ovmfMmio64,
  });
  if (firmware === "ovmf") {
    draft.add({
      option: "fw_cfg",
      properties: { name: "opt/ovmf/X-PciMmio64Mb", string: String(mmio64 / mebibyte) },
      because: [because],
    });
  }
  draft.add({
    option: "global",
    properties: { driver: "q35-pcihost", property: "pci-hole64-size", value: mmio64 },
    because: [because],
  });
}
