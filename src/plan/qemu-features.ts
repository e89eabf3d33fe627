import type { Draft } from "./draft.ts";

/**
 * Refuses devices and objects that the installed QEMU was not built with: distributions leave some out, or ship them
 * in packages of their own. Asked from QEMU itself, not guessed from its version.
 */
export function checkQemuFeatures(draft: Draft): void {
  const { qemu } = draft.host;
  if (!qemu) return;
  const devices = new Set(qemu.devices);
  const objects = new Set(qemu.objects);
  for (const option of draft.options) {
    if (option.option === "device" && !option.driver.endsWith("-x86_64-cpu")) {
      checkOne(draft, devices, "device", option.driver, option.id ?? option.driver);
    }
    if (option.option === "object") checkOne(draft, objects, "object", option.qomType, option.id);
  }
}

function checkOne(draft: Draft, known: Set<string>, kind: string, type: string, id: string): void {
  // A snapshot may have come from where nobody asked.
  if (known.size === 0 || known.has(type)) return;
  known.add(type);
  draft.refuse("QEMU_FEATURE", [], {
    found: `this QEMU has no ${kind} of type ${type}, which ${id} is`,
    needed: `a QEMU with ${type}`,
    fix: `install the package that has it, or take ${id} out of the profile (\`qemu-system-x86_64 -${kind} help\` lists all)`,
  });
}
