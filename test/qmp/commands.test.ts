import { describe, expect, test } from "vitest";
import { Agreement } from "./agreement.ts";
import { recordedSchemas } from "./recorded-schema.ts";
import { loadTypes, propertiesOf } from "./typescript-types.ts";

const types = loadTypes("src/qmp/commands.ts", "src/qmp/events.ts");
const commands = propertiesOf(types.checker, types.exported("src/qmp/commands.ts", "Commands"));
const events = propertiesOf(types.checker, types.exported("src/qmp/events.ts", "Events"));
const versions = recordedSchemas.map(({ version }) => version);

/** Ours to ask for: QEMU refuses a blockdev-add without it, its schema does not say so. */
const requiredByUs = ["blockdev-add.node-name"];

test("two versions of QEMU are recorded, and there is something to check", () => {
  expect(versions).toEqual(["7.2", "10.0"]);
  expect(commands.length).toBeGreaterThan(45);
  expect(events.length).toBeGreaterThan(20);
});

describe("commands as QEMU describes them", () => {
  test.each(commands)("$name", ({ name, type }) => {
    const recorded = recordedSchemas.flatMap((schema) => {
      const command = schema.commands[name];
      return command === undefined ? [] : [{ schema, command }];
    });
    expect(recorded.map(({ schema }) => schema.version)).toEqual(versions);
    const parts = Object.fromEntries(propertiesOf(types.checker, type).map((part) => [part.name, part.type]));
    if (parts.arguments === undefined || parts.returns === undefined) throw new Error(`${name} lacks a part`);

    const sent = new Agreement(types.checker, "sent", requiredByUs);
    const objects = recorded.map(({ schema, command }) => ({ schema, object: command.arguments }));
    sent.compareObject(name, parts.arguments, objects);
    const received = new Agreement(types.checker, "received");
    const references = recorded.map(({ schema, command }) => ({ schema, reference: command.returns }));
    received.compare(`${name} returns`, parts.returns, references);
    expect([...sent.problems, ...received.problems]).toEqual([]);
  });
});

describe("events as QEMU describes them", () => {
  test.each(events)("$name", ({ name, type }) => {
    const recorded = recordedSchemas.flatMap((schema) => {
      const event = schema.events[name];
      return event === undefined ? [] : [{ schema, object: event.data }];
    });
    expect(recorded.map(({ schema }) => schema.version)).toEqual(versions);
    const received = new Agreement(types.checker, "received");
    received.compareObject(name, type, recorded);
    expect(received.problems).toEqual([]);
  });
});
