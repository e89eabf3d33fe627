import { expect, test } from "vitest";
import { Agreement, type Direction } from "./agreement.ts";
import { recordedSchemas } from "./recorded-schema.ts";
import { loadTypes, propertiesOf } from "./typescript-types.ts";

const file = "test/qmp/wrong-types.ts";
const types = loadTypes(file);

function problems(direction: Direction, member: string, command: string): readonly string[] {
  const name = direction === "sent" ? "WrongSent" : "WrongReceived";
  const found = propertiesOf(types.checker, types.exported(file, name)).find((each) => each.name === member);
  if (found === undefined) throw new Error(`no ${member}`);
  const agreement = new Agreement(types.checker, direction);
  const recorded = recordedSchemas.flatMap((schema) => {
    const description = schema.commands[command];
    return description === undefined ? [] : [{ schema, description }];
  });
  if (direction === "sent") {
    const objects = recorded.map(({ schema, description }) => ({ schema, object: description.arguments }));
    agreement.compareObject("it", found.type, objects);
  } else {
    const references = recorded.map(({ schema, description }) => ({
      schema,
      reference: description.returns,
    }));
    agreement.compare("it", found.type, references);
  }
  return agreement.problems;
}

test.each([
  ["object_del_misspelt", "object-del", "it.idd is not in every QEMU"],
  ["object_del_misspelt", "object-del", "it.id is missing, and required in QEMU 7.2"],
  ["object_del_optional", "object-del", "it.id is optional, and not so in QEMU"],
  ["object_del_type", "object-del", "it.id is number, and str in QEMU 10.0"],
  ["qom_list_types_required", "qom-list-types", "it.implements is required, and not so in QEMU"],
  ["watchdog_value", "watchdog-set-action", "it.action has the value explode, which not every QEMU knows"],
  ["watchdog_loose", "watchdog-set-action", "it.action is an enumeration in QEMU"],
  ["block_resize_type", "block_resize", "it.size is boolean, and int in QEMU 7.2"],
  ["netdev_no_tag", "netdev_add", "it has a choice without the tag"],
  ["netdev_member", "netdev_add", "it(user).hostfwd[] is string, and an object in QEMU"],
  [
    "object_add_case",
    "object-add",
    "it(rng-imaginary).qom-type has the value rng-imaginary, which not every QEMU knows",
  ],
])("what is sent: %s to %s", (member, command, problem) => {
  expect(problems("sent", member, command)).toContain(problem);
});

test.each([
  ["status_member", "query-status", "it.state is not in every QEMU"],
  ["status_extra", "query-status", "it.running is optional, and not so in QEMU"],
  ["memdev_element", "query-memdev", "it[].host-nodes[] is string, and int in QEMU 7.2"],
  ["memdev_scalar", "query-memdev", "it[].host-nodes is number, and an array in QEMU"],
  ["memdev_optional", "query-memdev", "it[].id is required, and not so in QEMU"],
  ["pci_nested", "query-pci", "it[].devices[].pci_bridge.bus.number is string, and int in QEMU 7.2"],
  [
    "memory_device_case",
    "query-memory-devices",
    "it[].type has the value floppy, which not every QEMU knows",
  ],
])("what is received: %s of %s", (member, command, problem) => {
  expect(problems("received", member, command)).toContain(problem);
});

test("what is received: values that our union lacks", () => {
  expect(problems("received", "status_value", "query-status")).toEqual([
    expect.stringMatching(/^it\.status lacks the values .*prelaunch/),
  ]);
});

test("an argument of any type may be unknown", () => {
  expect(problems("sent", "qom_set_any", "qom-set")).toEqual([]);
});
