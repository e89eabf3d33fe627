import type { Draft } from "./draft.ts";
import type { QemuOption } from "./options.ts";

/** Direct kernel boot and files for the firmware configuration device. */
export function planKernel(draft: Draft): void {
  const { kernel } = draft.profile;
  if (kernel) {
    const because = draft.decide("kernel", "kernel", {
      value: kernel.image,
      rule: "The firmware hands over to this kernel after it has set up the PCI tree.",
      source: "linuxboot",
    });
    needFile(draft, kernel.image, ["kernel", "image"], "kernel image");
    draft.add({ option: "kernel", value: kernel.image, because: [because] });
    if (kernel.initrd) {
      needFile(draft, kernel.initrd, ["kernel", "initrd"], "initial RAM disk");
      draft.add({ option: "initrd", value: kernel.initrd, because: [because] });
    }
    if (kernel.cmdline !== "") draft.add({ option: "append", value: kernel.cmdline, because: [because] });
  }
  const taken = new Set(draft.options.flatMap((option) => fwCfgName(option) ?? []));
  for (const [index, entry] of draft.profile.fwCfg.entries()) {
    const path = ["fwCfg", index];
    if (taken.has(entry.name)) {
      draft.refuse("ID_DUPLICATE", [...path, "name"], {
        found: `${entry.name} a second time; another entry, or the plan itself, has it`,
        needed: "each name once",
        fix: "leave one of them out",
      });
    }
    taken.add(entry.name);
    if ((entry.string === undefined) === (entry.file === undefined)) {
      draft.refuse("PROFILE_VALUE", path, {
        found: entry.string === undefined ? "neither string nor file" : "both string and file",
        needed: "one of them",
        fix: entry.string === undefined ? "add a string or a file" : "keep one of them",
      });
    }
    if (entry.string === "") {
      draft.refuse("PROFILE_VALUE", [...path, "string"], {
        found: "an empty string",
        needed: "at least one character: QEMU takes an empty string for none",
        fix: "write something, or name an empty file",
      });
    }
    if (entry.file) needFile(draft, entry.file, [...path, "file"], `file for ${entry.name}`);
    const because = draft.decide("kernel", `fwCfg.${entry.name}`, {
      value: entry.file ?? entry.string ?? "",
      rule: "Passed on as the profile has it; the plan does not look inside.",
      source: "fwCfg",
    });
    draft.add({
      option: "fw_cfg",
      properties: { name: entry.name, string: entry.string, file: entry.file },
      because: [because],
    });
  }
}

function fwCfgName(option: QemuOption): string | undefined {
  const name = option.option === "fw_cfg" ? option.properties.name : undefined;
  return typeof name === "string" ? name : undefined;
}

function needFile(draft: Draft, path: string, profilePath: (string | number)[], what: string): void {
  draft.files.push({ path, access: "read", kind: "file", profilePath, what });
}
