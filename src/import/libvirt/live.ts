import type { XmlNode } from "./xml.ts";

/** A part of a running domain that libvirt adds at its start, and that its file does not have. */
export interface RunTimePart {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

interface Stripped {
  readonly domain: XmlNode;
  readonly removed: readonly RunTimePart[];
}

/** Interfaces that libvirt makes and names itself. */
const madeInterface = /^(vnet|macvtap|macvlan)\d+$/;

type IsRunTime = (child: XmlNode, parent: XmlNode) => boolean;

/** Elements that are there while the domain runs, by the name of their parent; "*" for a device of any kind. */
const elements: Readonly<Record<string, IsRunTime>> = {
  domain: ({ name, attributes }) =>
    ["resource", "currentMemory"].includes(name) ||
    (name === "seclabel" && attributes.get("type") === "dynamic"),
  disk: ({ name }) => name === "backingStore" || name === "mirror",
  interface: ({ name, attributes }) => name === "target" && madeInterface.test(attributes.get("dev") ?? ""),
  ...Object.fromEntries(
    ["serial", "console", "channel", "parallel"].map((name) => [
      name,
      (child: XmlNode, parent: XmlNode) => child.name === "source" && parent.attributes.get("type") === "pty",
    ]),
  ),
};

/** Attributes, by "element" or "parent/element". */
const attributes: Readonly<Record<string, readonly string[]>> = {
  domain: ["id"],
  "disk/source": ["index"],
  "interface/source": ["portid"],
  console: ["tty"],
  "channel/target": ["state"],
};

/**
 * A running domain as its file has it: without what libvirt adds while it runs. The file that libvirtd keeps of each
 * running domain in /run/libvirt/qemu is read too; it knows the processor as the domain's file says it.
 *
 * @see https://libvirt.org/manpages/virsh.html#dumpxml
 * @returns undefined for a document that is neither
 */
export function withoutRunTime(root: XmlNode): Stripped | undefined {
  const domain = root.name === "domstatus" ? root.children.find(({ name }) => name === "domain") : root;
  if (domain?.name !== "domain") return undefined;
  const written = root.name === "domstatus" ? root.children.find(({ name }) => name === "cpu") : undefined;
  const removed: RunTimePart[] = [];
  const children = domain.children.map((child) =>
    written && child.name === "cpu" ? withProcessor(child, written) : child,
  );
  return { domain: strip({ ...domain, children }, undefined, "", removed), removed };
}

/** Model and features as the file has them, where libvirt wrote out those of the host at the start. */
function withProcessor(running: XmlNode, written: XmlNode): XmlNode {
  const cells = running.children.filter(({ name }) => name === "numa");
  const own = written.children.filter(({ name }) => name !== "numa");
  return { ...running, attributes: written.attributes, children: [...own, ...cells] };
}

function strip(node: XmlNode, parent: XmlNode | undefined, path: string, removed: RunTimePart[]): XmlNode {
  const { name, line, column } = node;
  const tell = (of: string, at: { line: number; column: number } = { line, column }) =>
    removed.push({ path: of.replace(/^\//, ""), line: at.line, column: at.column });
  const gone = attributes[`${parent?.name}/${name}`] ?? attributes[name] ?? [];
  const kept = new Map(node.attributes);
  for (const key of gone) if (kept.delete(key)) tell(`${path}@${key}`);
  const isGone = elements[name];
  const children = node.children.flatMap((child) => {
    const childPath = path === "" ? child.name : `${path}/${child.name}`;
    // libvirt's own names of devices; those of a user begin with "ua-".
    const isMade = child.name === "alias" && !child.attributes.get("name")?.startsWith("ua-");
    if (isMade || isGone?.(child, node)) {
      tell(childPath, child);
      return [];
    }
    return [strip(child, node, childPath, removed)];
  });
  return { ...node, attributes: kept, children };
}
