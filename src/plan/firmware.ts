import type { Draft } from "./draft.ts";

/** SeaBIOS, or OVMF with a variable store of the VM's own. */
export function planFirmware(draft: Draft): void {
  const { firmware } = draft.profile.machine;
  if (firmware === "seabios") {
    draft.decide("firmware", "firmware.seabios", {
      value: "SeaBIOS",
      rule: "The machine type's own firmware, which starts fastest.",
      source: "q35",
    });
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
    source: "ovmf",
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
}
