/** An option of QEMU's command line, its value as properties. */
export interface Option {
  readonly name: string;
  /** The word before the properties (-machine q35,...), and the whole value of a switch that has one text. */
  readonly head: string;
  /** Keys of nested objects are joined by dots; of a key that stands several times the values are, by a comma. */
  readonly properties: ReadonlyMap<string, string>;
}

/** Switches whose value is text, commas and all. */
const texts = ["append", "kernel", "initrd", "uuid", "display", "bios", "pidfile", "dtb", "accel"];
const flags = [
  "S",
  "no-user-config",
  "nodefaults",
  "no-acpi",
  "no-hpet",
  "no-shutdown",
  "no-reboot",
  "nographic",
];

/** The options of a command line, in JSON or as key=value, which mean the same. */
export function readOptions(argv: readonly string[]): Option[] {
  const options: Option[] = [];
  for (let at = 0; at < argv.length; at++) {
    const name = (argv[at] ?? "").replace(/^--?/, "");
    if (flags.includes(name)) options.push({ name, head: "", properties: new Map() });
    else options.push(readOption(name, argv[++at] ?? ""));
  }
  return options;
}

function readOption(name: string, value: string): Option {
  if (texts.includes(name)) return { name, head: value, properties: new Map() };
  if (value.startsWith("{")) {
    const properties = new Map<string, string>();
    flatten(JSON.parse(value), "", properties);
    const key = { device: "driver", object: "qom-type", netdev: "type", blockdev: "driver" }[name] ?? "";
    const head = properties.get(key) ?? "";
    properties.delete(key);
    return { name, head, properties };
  }
  const properties = new Map<string, string>();
  let head = "";
  for (const [index, part] of splitCommas(value).entries()) {
    const equals = part.indexOf("=");
    if (equals !== -1) {
      const key = part.slice(0, equals);
      const before = properties.get(key);
      properties.set(
        key,
        before === undefined ? part.slice(equals + 1) : `${before},${part.slice(equals + 1)}`,
      );
    } else if (index === 0) head = part;
    else properties.set(part.replace(/^[+-]/, ""), part.startsWith("-") ? "off" : "on");
  }
  if (name === "blockdev" && head === "") {
    head = properties.get("driver") ?? "";
    properties.delete("driver");
  }
  return { name, head, properties };
}

/** Two commas are one that belongs to the text. */
function splitCommas(value: string): string[] {
  return value
    .replaceAll(",,", "\0")
    .split(",")
    .map((part) => part.replaceAll("\0", ","));
}

function flatten(value: unknown, path: string, into: Map<string, string>): void {
  if (Array.isArray(value) && value.every((item) => typeof item !== "object"))
    into.set(path, value.join(","));
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) flatten(item, `${path}.${index}`, into);
  else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value))
      flatten(item, path === "" ? key : `${path}.${key}`, into);
  } else into.set(path, typeof value === "boolean" ? (value ? "on" : "off") : String(value));
}
