import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DecodedLine, encodeLine, LineDecoder } from "../../src/qmp/codec.ts";

function decode(decoder: LineDecoder, chunks: readonly Uint8Array[]): DecodedLine[] {
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

/** The bytes in chunks that end at these places. */
function split(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

function onlyLine(lines: readonly DecodedLine[]): DecodedLine {
  expect(lines).toHaveLength(1);
  return lines[0] as DecodedLine;
}

describe("any messages in any chunks come out the same", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom("é", "日本", "🖥", "\n", "\r\n"),
  );
  const message = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)));

  test("split at random", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(message, fc.constantFrom("\n", "\r\n")), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (messages, places) => {
          const bytes = Buffer.from(messages.map(([each, end]) => JSON.stringify(each) + end).join(""));
          const decoder = new LineDecoder();
          const lines = decode(decoder, split(bytes, places));
          expect(lines).toEqual(
            messages.map(([each]) => ({
              text: JSON.stringify(each),
              message: JSON.parse(JSON.stringify(each)),
            })),
          );
          expect(decoder.heldBytes).toBe(0);
        },
      ),
    );
  });

  test("split at every byte, one place at a time and all at once", () => {
    const messages = [
      { event: "STOP", data: { text: "é 日本 🖥" } },
      { return: "", id: 1 },
    ];
    const bytes = Buffer.from(messages.map((each) => `${JSON.stringify(each)}\r\n`).join(""));
    const expected = messages.map((each) => ({ text: JSON.stringify(each), message: each }));
    for (let place = 0; place <= bytes.length; place += 1) {
      expect(decode(new LineDecoder(), split(bytes, [place]))).toEqual(expected);
    }
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect(decode(new LineDecoder(), single)).toEqual(expected);
  });
});

test("what is encoded can be decoded", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })), (message) => {
      const line = onlyLine(new LineDecoder().push(Buffer.from(encodeLine(message))));
      expect(line).toMatchObject({ message: JSON.parse(JSON.stringify(message)) });
    }),
  );
});

test("empty lines are no messages", () => {
  expect(new LineDecoder().push(Buffer.from("\r\n\n  \n{}\n"))).toEqual([{ text: "{}", message: {} }]);
});

test("an unfinished line is held, and counted", () => {
  const decoder = new LineDecoder();
  expect(decoder.push(Buffer.from('{}\n{"a'))).toHaveLength(1);
  expect(decoder.heldBytes).toBe(3);
});

describe("a line that is not JSON names its text", () => {
  test("and the lines around it come out", () => {
    const lines = new LineDecoder().push(Buffer.from('{"a":1}\nhello, "world"\n{"b":2}\n'));
    expect(lines.map((line) => ("message" in line ? line.message : line.problem))).toEqual([
      { a: 1 },
      expect.stringMatching(/^a line that is not JSON \(.*\): "hello, \\"world\\""$/),
      { b: 2 },
    ]);
  });

  test("shortened when it is long", () => {
    const line = onlyLine(new LineDecoder().push(Buffer.from(`${"x".repeat(5000)}\n`)));
    expect("problem" in line && line.problem.length).toBeLessThan(400);
  });

  test("also when it is not UTF-8", () => {
    const line = onlyLine(new LineDecoder().push(Uint8Array.of(0x22, 0xff, 0xfe, 0x22, 0x0a)));
    expect(line).toMatchObject({ problem: expect.stringContaining("not UTF-8") });
  });
});

describe("the line limit", () => {
  test("a line of exactly the limit is accepted, with either end", () => {
    for (const end of ["\n", "\r\n"]) {
      const line = onlyLine(new LineDecoder(10).push(Buffer.from(`"12345678"${end}`)));
      expect(line).toEqual({ text: '"12345678"', message: "12345678" });
    }
  });

  test("is 64 MiB unless told otherwise", () => {
    const decoder = new LineDecoder();
    const mebibyte = Buffer.alloc(1024 * 1024, "1");
    for (let count = 0; count < 64; count += 1) expect(decoder.push(mebibyte)).toEqual([]);
    expect(decoder.push(Buffer.from("11"))).toEqual([
      { text: "1".repeat(200), problem: expect.stringContaining("more than 67108864 bytes") },
    ]);
    expect(decoder.push(Buffer.from("{}\n"))).toEqual([]);
  });

  test("a longer one is refused, before its end and whatever the chunks", () => {
    for (const size of [1, 3, 100]) {
      const bytes = Buffer.from(`"${"1".repeat(20)}`);
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      const line = onlyLine(decode(new LineDecoder(10), chunks));
      expect(line).toMatchObject({ problem: expect.stringContaining("more than 10 bytes") });
    }
  });

  test("one byte over is refused when its end comes in the same chunk", () => {
    const line = onlyLine(new LineDecoder(10).push(Buffer.from('"123456789"\n')));
    expect(line).toMatchObject({ problem: expect.stringContaining("more than 10 bytes") });
  });
});
