import { Duplex, PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { requestReport } from "../../src/verify/ask.ts";
import { parseReport } from "../../src/verify/report.ts";
import { report } from "./report.ts";

const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const answer = line({ version: 1, ...report });

/** A channel whose guest says the texts, one after the other, once it was asked. */
function channel(texts: readonly string[], end = false): Duplex {
  const said = new PassThrough();
  return Duplex.from({
    readable: said,
    writable: async (source: AsyncIterable<Buffer>) => {
      for await (const question of source) {
        expect(String(question)).toBe("report\n");
        for (const text of texts) said.write(text);
        if (end) said.end();
      }
    },
  });
}

describe("a question to the guest", () => {
  it("is answered in pieces, behind what others left", async () => {
    const pieces = [
      "1}\n",
      line({ version: 1, error: "unknown request" }),
      answer.slice(0, 100),
      answer.slice(100),
    ];
    expect(await requestReport(channel(pieces), 5000)).toEqual({ version: 1, ...report });
  });

  it("has an end", async () => {
    expect(await requestReport(channel(["{"]), 50)).toBe("did not answer within 0 s");
    expect(await requestReport(channel([answer.slice(0, -10)], true), 5000)).toBe(
      "closed the channel before it answered",
    );
    const flood = Array.from({ length: 9 }, () => "x".repeat(2 ** 20));
    expect(await requestReport(channel(flood), 5000)).toBe("answers without end");
  });
});

describe("a report", () => {
  it.each([
    ["no JSON", "{"],
    ["null", "null"],
    ["another version", line({ ...report, version: 2 })],
    [
      "a node without CPUs' numbers",
      line({ version: 1, ...report, nodes: [{ ...report.nodes[0], cpuIds: "0-1" }] }),
    ],
    [
      "a function without an address",
      line({ version: 1, ...report, pci: [{ ...report.pci[0], address: 7 }] }),
    ],
    ["a memory size that is no number", answer.replace("210000", "1e999")],
  ])("with %s is none", (_, text) => expect(parseReport(text)).toBeUndefined());
});
