import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CpioEntry, writeCpio } from "../../src/rehearse/cpio.ts";

interface Read {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

/** What an archive holds, read by the documented format alone. */
function readCpio(archive: Buffer): Read[] {
  const entries: Read[] = [];
  const aligned = (offset: number) => Math.ceil(offset / 4) * 4;
  for (let offset = 0; ; ) {
    expect(archive.toString("latin1", offset, offset + 6)).toBe("070701");
    const field = (index: number) =>
      Number.parseInt(archive.toString("latin1", offset + 6 + index * 8, offset + 14 + index * 8), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = archive.toString("utf8", offset + 110, offset + 110 + nameSize - 1);
    expect(archive[offset + 110 + nameSize - 1]).toBe(0);
    const start = aligned(offset + 110 + nameSize);
    if (name === "TRAILER!!!") {
      expect(start + size).toBe(archive.length);
      return entries;
    }
    entries.push({ path: name, mode, content: archive.toString("latin1", start, start + size) });
    offset = aligned(start + size);
  }
}

const file = (path: string, text = "", mode = 0o644): CpioEntry => ({
  ...{ path, kind: "file", mode },
  content: Buffer.from(text, "latin1"),
});

describe("an archive", () => {
  it("has files, links, and the folders above them first", () => {
    const entries: CpioEntry[] = [
      file("lib/modules/6.1/a.ko", "module"),
      file("init", "#!/bin/sh\n", 0o755),
      { path: "bin/sh", kind: "link", target: "busybox" },
      { path: "proc", kind: "folder" },
    ];
    expect(readCpio(writeCpio(entries))).toEqual([
      { path: "bin", mode: 0o040755, content: "" },
      { path: "bin/sh", mode: 0o120777, content: "busybox" },
      { path: "init", mode: 0o100755, content: "#!/bin/sh\n" },
      { path: "lib", mode: 0o040755, content: "" },
      { path: "lib/modules", mode: 0o040755, content: "" },
      { path: "lib/modules/6.1", mode: 0o040755, content: "" },
      { path: "lib/modules/6.1/a.ko", mode: 0o100644, content: "module" },
      { path: "proc", mode: 0o040755, content: "" },
    ]);
  });

  it("comes out as it went in, whatever the lengths, and in any order the same bytes", () => {
    const path = fc.array(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 4 });
    const anyFiles = fc.uniqueArray(fc.tuple(path, fc.string({ unit: "binary-ascii", maxLength: 40 })), {
      selector: ([parts]) => parts.join("/"),
    });
    fc.assert(
      fc.property(anyFiles, (files) => {
        const entries = files.map(([parts, text]) =>
          file(parts.map((part, depth) => `${part}${depth}`).join("/"), text),
        );
        const archive = writeCpio(entries);
        const found = new Map(readCpio(archive).map((entry) => [entry.path, entry.content]));
        // A path that is a folder of another is a file no longer.
        for (const entry of entries) {
          if (entry.kind === "file")
            expect(found.get(entry.path)).toBe(Buffer.from(entry.content).toString("latin1"));
        }
        expect(writeCpio([...entries].reverse()).equals(archive)).toBe(true);
      }),
    );
  });

  it("that is empty ends at once", () => expect(readCpio(writeCpio([]))).toEqual([]));
});
