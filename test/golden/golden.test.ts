import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { argvItems, renderArgv } from "../../src/argv/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import { goldenProfiles, planGolden, refusalLines } from "./cases.ts";

const cases = goldenProfiles.flatMap(({ name, profile, hosts }) =>
  hosts.map((host) => ({ name: `${name}@${host}`, result: planGolden(profile, host) })),
);

describe.each(cases)("$name", ({ name, result }) => {
  if (!result.ok) {
    it("is refused as recorded", () =>
      expect(refusalLines(result.diagnostics)).toMatchFileSnapshot(`${name}.refused.txt`));
    return;
  }
  const plan = result.value;

  it("has the recorded command line", () =>
    expect(`${renderArgv(plan).join("\n")}\n`).toMatchFileSnapshot(`${name}.argv`));

  it("has the recorded plan", () => expect(planText(plan)).toMatchFileSnapshot(`${name}.plan.json`));

  it("names a decision behind every option, and an option or a known reason behind every decision", () => {
    const items = argvItems(plan);
    const ids = plan.decisions.map((decision) => decision.id);
    expect(items.filter(({ because }) => because.length === 0)).toEqual([]);
    expect(items.flatMap(({ because }) => because).filter((id) => !ids.includes(id))).toEqual([]);
    const reached = new Set(items.flatMap(({ because }) => because));
    const silent = ids.filter((id) => !reached.has(id) && !informative.test(id));
    expect(silent).toEqual([]);
  });

  it("has the document behind every decision", () => {
    for (const { id, source } of plan.decisions) expect(source, id).toMatch(/^https:\/\/[^/]+\/./);
  });
});

it("has no file that no case writes: delete it", () => {
  const written = new Set(
    cases.flatMap(({ name, result }) =>
      result.ok ? [`${name}.argv`, `${name}.plan.json`] : [`${name}.refused.txt`],
    ),
  );
  const here = readdirSync(new URL(".", import.meta.url)).filter((name) => name.includes("@"));
  expect(here.filter((name) => !written.has(name))).toEqual([]);
});

it("fits somewhere: every profile has a command line on one of the hosts", () => {
  const fitting = new Set(cases.flatMap(({ name, result }) => (result.ok ? [name.split("@")[0]] : [])));
  expect(goldenProfiles.map(({ name }) => name).filter((name) => !fitting.has(name))).toEqual([]);
});

/** What is decided without an option of QEMU's: what the launcher does, and what is left as it is. */
const informative =
  /^(memory\.addresses|pinning\.(vcpus|emulator)|sandbox\.user|firmware\.(seabios|mmio64)|passthrough\.(memory|clique)|pcie\.(ports|spare))$/;

/** One line each, so that a change shows where it is. Rules and sources stand in src/plan. */
function planText({ decisions, placement, devices }: Plan): string {
  const lines = (items: readonly unknown[]) => items.map((item) => `    ${JSON.stringify(item)}`).join(",\n");
  const told = decisions.map(({ id, value, facts }) => ({ id, value, facts }));
  const { vcpus, cells, ...rest } = placement;
  return `{
  "decisions": [\n${lines(told)}\n  ],
  "cells": [\n${lines(cells)}\n  ],
  "vcpus": [\n${lines(vcpus)}\n  ],
  "placement": ${JSON.stringify(rest)},
  "devices": [\n${lines(devices)}\n  ]
}
`;
}
