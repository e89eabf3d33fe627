// Prints the QMP schema of a QEMU binary as compact, sorted JSON, for test/qmp/schemas:
//   node scripts/record-qmp-schema.mjs qemu-system-x86_64 > test/qmp/schemas/7.2.json
// A type is a builtin name, a key of "types", or one of these in brackets for an array; a trailing "?" marks an
// optional member. https://www.qemu.org/docs/master/devel/qapi-code-gen.html#client-json-protocol-introspection
import { spawn } from "node:child_process";

const binary = process.argv[2];
if (binary === undefined) {
  console.error("usage: node scripts/record-qmp-schema.mjs BINARY > FILE");
  process.exit(2);
}

const { greeting, schema } = await query(binary);
const entities = new Map(schema.map((entity) => [entity.name, entity]));
process.stdout.write(
  print({
    qemu: greeting.QMP.version,
    commands: section("command", describeCommand),
    events: section("event", (event) => ({ data: describeObject(entities.get(event["arg-type"])) })),
    types: {
      ...section("object", describeObject),
      ...section("enum", (type) => ({ enum: type.members.map((member) => member.name).sort() })),
      ...section("alternate", (type) => ({ alternate: type.members.map((member) => member.type).sort() })),
    },
  }),
);

/** Greeting and schema of a QEMU without a machine. */
async function query(program) {
  const monitor = ["-chardev", "socket,id=q,fd=3", "-qmp", "chardev:q"];
  const argv = ["-M", "none", "-display", "none", "-nodefaults", "-S", ...monitor];
  const child = spawn(program, argv, { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  child.on("error", (error) => {
    console.error(`${program}: ${error.message}`);
    process.exit(1);
  });
  const messages = await converse(child.stdio[3], ["qmp_capabilities", "query-qmp-schema", "quit"]);
  const answer = messages.find((message) => message.id === "query-qmp-schema");
  if (answer?.return === undefined) {
    console.error(`${program}: no answer to query-qmp-schema`);
    process.exit(1);
  }
  return { greeting: messages[0], schema: answer.return };
}

/** Greets back with these commands, and gives all messages until QEMU closes; a reset is one way to close. */
function converse(socket, commands) {
  const requests = commands.map((execute) => JSON.stringify({ execute, id: execute }));
  let text = "";
  socket.setEncoding("utf8");
  socket.once("data", () => socket.write(requests.join("\n")));
  socket.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => {
    socket.on("error", () => {});
    socket.on("close", () => {
      const lines = text.split("\r\n").filter((line) => line !== "");
      resolve(lines.map((line) => JSON.parse(line)));
    });
  });
}

function section(metaType, describe) {
  const members = schema.filter((entity) => entity["meta-type"] === metaType);
  return Object.fromEntries(members.map((entity) => [entity.name, describe(entity)]));
}

function describeCommand(command) {
  return {
    arguments: describeObject(entities.get(command["arg-type"])),
    returns: command["ret-type"],
    ...(command["allow-oob"] === true && { oob: true }),
    ...(command.features !== undefined && { features: [...command.features].sort() }),
  };
}

function describeObject(type) {
  const members = type.members.map((member) => [member.name, member.type + ("default" in member ? "?" : "")]);
  return {
    members: Object.fromEntries(members),
    ...(type.tag !== undefined && {
      tag: type.tag,
      cases: Object.fromEntries(type.variants.map((variant) => [variant.case, variant.type])),
    }),
  };
}

/** Sorted keys, one command, event or type a line. */
function print(record) {
  const sections = Object.entries(record).map(([name, entries]) => {
    const keys = Object.keys(entries).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const lines = keys.map((key) => `${JSON.stringify(key)}: ${JSON.stringify(sorted(entries[key]))}`);
    return `${JSON.stringify(name)}: {\n${lines.join(",\n")}\n}`;
  });
  return `{\n${sections.join(",\n")}\n}\n`;
}

function sorted(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
