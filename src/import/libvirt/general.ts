import {
  type ImportContext,
  numberOf,
  type ProfileDraft,
  sizeOf,
  sizeText,
  wholeMebibytes,
} from "./context.ts";
import { ownNamespace } from "./own.ts";
import type { Reading } from "./reading.ts";

/** Name, identity, notes, and what libvirt does at the guest's ends. */
export function readGeneral(domain: Reading, { profile }: ImportContext): void {
  const type = domain.attribute("type");
  if (type === "qemu") profile.machine = { ...profile.machine, accel: "tcg" };
  else if (type !== undefined && type !== "kvm")
    domain.dropAttribute("type", `${type} is of other systems: QEMU with KVM is used`);
  domain.attribute("id");
  const name = domain.one("name")?.text() ?? "";
  profile.name = profileName(name);
  if (profile.name !== name) {
    domain
      .one("name")
      ?.improve(`"${name}" becomes "${profile.name}": names have letters, digits, "_", "." and "-"`);
  }
  readUuid(domain.one("uuid"), profile);
  const notes = [domain.one("title")?.text(), domain.one("description")?.text()].filter(
    (text) => text !== undefined,
  );
  if (notes.length > 0) profile.description = notes.join("\n");
  for (const note of domain.one("metadata")?.every() ?? []) {
    if (!note.node.name.startsWith(`{${ownNamespace}}`))
      note.drop("notes of another program, which mean nothing here");
  }
  readEnds(domain);
  domain.one("resource")?.drop("QEMU stays in the cgroup that qlaunch is started in");
  for (const label of domain.all("seclabel")) {
    if (readOwner(label, profile)) continue;
    label.drop(
      "no SELinux or AppArmor label: QEMU's own seccomp sandbox is on, and sandbox.user takes its rights",
    );
  }
  domain.one("genid")?.drop("a generation id changes with snapshots, which qlaunch does not take");
}

/** libvirt takes one without its dashes too, or with other ones. */
function readUuid(element: Reading | undefined, profile: ProfileDraft): void {
  const text = element?.text();
  if (text === undefined) return;
  const digits = text.replace(/[ -]/g, "");
  const parts = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i.exec(digits);
  if (parts) profile.uuid = parts.slice(1).join("-");
  else element?.drop(`"${text}" is no UUID: a new one is made`);
}

/** The user and group that QEMU runs as. @returns whether the label says that */
function readOwner(label: Reading, profile: ProfileDraft): boolean {
  if (label.attribute("model") !== "dac" || label.attribute("type") !== "static") return false;
  const names = /^\+?([a-z_][a-z0-9_-]*|\d+):\+?([a-z_][a-z0-9_-]*|\d+)$/.exec(
    label.one("label")?.text() ?? "",
  );
  const [, user, group] = names ?? [];
  if (user === undefined || group === undefined) return false;
  profile.sandbox = { ...profile.sandbox, user, group };
  if (label.attribute("relabel") === "yes")
    label.dropAttribute("relabel", "files keep their owners: give them to this user");
  return true;
}

/** A name that a profile may have, as near to the domain's as can be. */
function profileName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return plain === "" ? "imported" : plain.slice(0, 64);
}

/** What libvirt does when the guest stops: QEMU's usual ways are qlaunch's. */
function readEnds(domain: Reading): void {
  const usual = {
    on_poweroff: ["destroy"],
    on_reboot: ["restart"],
    on_crash: ["destroy"],
    on_lockfailure: [],
  };
  for (const [name, values] of Object.entries(usual) as [keyof typeof usual, readonly string[]][]) {
    const element = domain.one(name);
    const text = element?.text() ?? "";
    if (element && !values.includes(text)) {
      element.drop(`"${text}": a guest that is off or has crashed ends, one that restarts goes on`);
    }
  }
  const power = domain.one("pm");
  for (const [state, property] of [
    ["suspend-to-mem", "disable_s3"],
    ["suspend-to-disk", "disable_s4"],
  ] as const) {
    const element = power?.one(state);
    const enabled = element?.attribute("enabled");
    if (enabled === "yes") element?.keep();
    else if (enabled !== undefined) {
      element?.drop(
        `the guest may put itself to sleep; to forbid it, write "extraArgs": ["-global", "ICH9-LPC.${property}=1"]`,
      );
    }
  }
}

/** Sizes, and what backs them. */
export function readMemory(domain: Reading, { profile }: ImportContext): void {
  const memory = domain.one("memory");
  const bytes = memory && sizeOf(memory);
  const max = domain.one("maxMemory");
  profile.memory = { size: bytes === undefined ? 0 : sizeText(wholeMebibytes(bytes)) };
  const maxBytes = max && sizeOf(max);
  if (max && maxBytes !== undefined) {
    profile.memory.max = sizeText(wholeMebibytes(maxBytes));
    profile.memory.slots = numberOf(max, "slots") ?? 0;
    if (profile.memory.slots > 0) max.improve("NVDIMMs can come too, for which the board has a device");
  }
  const current = domain.one("currentMemory");
  const currentBytes = current && sizeOf(current);
  if (current && currentBytes !== undefined && bytes !== undefined && currentBytes < bytes) {
    current.drop("the balloon is not inflated at the start: the guest has all of its memory");
  }
  const dump = memory?.attribute("dumpCore");
  if (dump === "on") profile.memory.dump = true;
  readBacking(domain.one("memoryBacking"), profile.memory);
}

type MemoryDraft = ImportContext["profile"]["memory"];

function readBacking(backing: Reading | undefined, memory: MemoryDraft): void {
  if (!backing) return;
  const pages = backing.one("hugepages")?.all("page") ?? [];
  const [page] = pages;
  if (page) {
    const nodes = page.attribute("nodeset");
    const bytes = bytesOfPage(page);
    if (bytes !== undefined) memory.pageSize = sizeText(bytes);
    if (nodes !== undefined) page.improve(`one page size for all cells, not for cells ${nodes} alone`);
  }
  for (const other of pages.slice(1)) other.drop("one page size for all cells: the first is taken");
  if (backing.one("hugepages") && pages.length === 0) memory.pageSize = "2M";
  if (backing.one("locked")) memory.locked = true;
  if (backing.one("nosharepages")) memory.merge = false;
  const source = backing.one("source");
  const type = source?.attribute("type");
  if (type === "memfd") memory.backend = "memfd";
  else if (type === "file")
    source?.drop("memory comes from a memfd: name a folder with memory.path for another");
  if (backing.one("access")?.attribute("mode") === "shared") memory.share = true;
  const allocation = backing.one("allocation");
  if (allocation?.attribute("mode") === "immediate") memory.prealloc = true;
  const threads = allocation && numberOf(allocation, "threads");
  if (threads !== undefined) memory.preallocThreads = Math.min(16, Math.max(1, threads));
  backing
    .one("discard")
    ?.drop("what QEMU leaves in a memory file at its end is freed anyway, as it has no name");
}

function bytesOfPage(page: Reading): number | undefined {
  const size = page.attribute("size");
  const unit = page.attribute("unit") ?? "KiB";
  const factor = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[unit];
  if (size !== undefined && /^\d+$/.test(size) && factor !== undefined) return Number(size) * factor;
  page.drop(`a page of ${size ?? "no size"} ${unit}`);
  return undefined;
}
