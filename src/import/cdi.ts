import { type Document, LineCounter, parseDocument } from "yaml";
import * as z from "zod";
import { type Code, type Diagnostic, formatJsonPath, type JsonPath, type Place } from "../errors/index.ts";
import type { AnnotatedDevice } from "../profile/index.ts";
import { formatPciAddress, parsePciAddress } from "../units/index.ts";

/** What became of a CDI file. */
export interface CdiReading {
  readonly devices: readonly AnnotatedDevice[];
  /** Each with its place in the file. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A YAML text and what it says where. */
interface Source {
  readonly file: string;
  /** Where the profile names the file. */
  readonly path: JsonPath;
  readonly text: string;
  readonly lines: LineCounter;
  readonly document: Document.Parsed;
}

const expected = (needed: string) => ({ error: () => needed });
const text = z.string(expected("text"));
const versionNeeded = 'a version such as "0.6.0"';

const annotations = z.record(
  z.string(),
  // The specification has text alone; without quotes, YAML makes numbers and booleans of some.
  z.union([z.string(), z.number(), z.boolean()], expected("text, a number, true or false")).transform(String),
  expected("annotations by name"),
);

/** Of the specification, what passing a device through needs; what containers need is left alone. */
const specification = z.object(
  {
    cdiVersion: z.union([z.string(), z.number()], expected(versionNeeded)),
    kind: text.regex(/^[A-Za-z0-9][A-Za-z0-9.-]*\/[A-Za-z0-9][A-Za-z0-9_.-]*$/, {
      error: () => 'a vendor and a class, such as "nvidia.com/gpu"',
    }),
    devices: z
      .array(
        z.object(
          { name: text.min(1, expected("a name")), annotations: annotations.default({}) },
          expected("a device"),
        ),
        expected("a list of devices"),
      )
      .min(1, expected("one device or more")),
  },
  expected("a CDI specification: cdiVersion, kind and devices"),
);

/**
 * Reads the devices of a specification of the Container Device Interface, YAML or JSON, by the annotations that Kata
 * gave them: `bdf` is the host's function, `clique-id` its P2P clique, `attach-pci` puts it behind a bridge.
 *
 * @param path where the profile names the file
 * @see https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md
 * @see https://github.com/kata-containers/kata-containers/blob/main/docs/design/kata-vra.md
 */
export function parseCdi(content: string, file: string, path: JsonPath): CdiReading {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const source: Source = { file, path, text: content, lines, document };
  if (document.errors.length > 0) {
    return { devices: [], diagnostics: document.errors.map((error) => syntaxProblem(source, error)) };
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases of aliases, by which a small text becomes a large one.
    const message = error instanceof Error ? error.message : String(error);
    return { devices: [], diagnostics: [syntaxProblem(source, { message, pos: [0, 1] })] };
  }
  const result = specification.safeParse(value);
  if (!result.success) {
    return {
      devices: [],
      diagnostics: result.error.issues.map((issue) => shapeProblem(source, value, issue)),
    };
  }
  const { kind, devices } = result.data;
  const readings = devices.map((device, index) => readDevice(source, kind, device, ["devices", index]));
  return {
    devices: readings.flatMap(({ device }) => device ?? []),
    diagnostics: readings.flatMap(({ problems }) => problems),
  };
}

type Device = z.output<typeof specification>["devices"][number];

function readDevice(
  source: Source,
  kind: string,
  { name, annotations: given }: Device,
  at: JsonPath,
): { device?: AnnotatedDevice; problems: Diagnostic[] } {
  const problems: Diagnostic[] = [];
  const annotation = (key: string) => (given[key] === undefined ? undefined : unquoted(given[key]));
  const wrong = (key: string, needed: string, fix: string) => {
    const value = annotation(key);
    const found =
      value === undefined
        ? `device ${name} without the annotation ${key}`
        : `${key} ${JSON.stringify(value)} of device ${name}`;
    const place = value === undefined ? [...at, "name"] : [...at, "annotations", key];
    problems.push(problem(source, "CDI_SPEC", place, { found, needed, fix }));
  };
  const address = parsePciAddress(annotation("bdf") ?? "");
  if (address === undefined) {
    wrong(
      "bdf",
      'the PCI address of a function of the host, such as "0000:41:00.0"',
      "take it from qlaunch vfio list",
    );
  }
  const clique = annotation("clique-id");
  if (clique !== undefined && !/^(\d|1[0-5])$/.test(clique)) {
    wrong("clique-id", "a whole number from 0 to 15", "number the cliques from 0 on");
  }
  const attach = annotation("attach-pci");
  if (attach !== undefined && attach !== "true" && attach !== "false") {
    wrong("attach-pci", '"true" or "false"', "write one of the two, or leave it out");
  }
  if (address === undefined || problems.length > 0) return { problems };
  return {
    problems,
    device: {
      name: `${kind}=${name}`,
      address: formatPciAddress(address),
      path: source.path,
      ...(clique === undefined ? {} : { clique: Number(clique) }),
      ...(attach === undefined ? {} : { attach: attach === "true" ? "pci" : "pcie" }),
    },
  };
}

/** Documents that show CDI files have typographic quotes around values, which YAML takes for a part of them. */
function unquoted(value: string): string {
  return value.trim().replace(/^[“”„"]?(.*?)[“”"]?$/s, "$1");
}

function syntaxProblem(
  source: Source,
  { message, pos }: { message: string; pos: [number, number] },
): Diagnostic {
  return {
    code: "CDI_SYNTAX",
    severity: "error",
    path: source.path,
    found: `${source.file} is no YAML: ${message.split("\n")[0]}`,
    needed: "a CDI specification as YAML or JSON",
    fix: "correct the text at this place",
    place: placeAt(source, pos),
  };
}

function shapeProblem(source: Source, value: unknown, { path, message }: z.core.$ZodIssue): Diagnostic {
  const steps = path.filter((step) => typeof step !== "symbol");
  const found = steps.reduce<unknown>(
    (inner, step) => (inner as Record<string, unknown> | undefined)?.[step],
    value,
  );
  const where = steps.length === 0 ? source.file : `${formatJsonPath(steps)} of ${source.file}`;
  return problem(source, "CDI_SPEC", steps, {
    found: found === undefined ? `no ${where}` : `${where} is ${describe(found)}`,
    needed: message,
    fix: "write it as the CDI specification has it",
  });
}

function describe(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return typeof value === "object" ? "an object" : JSON.stringify(value);
}

function problem(
  source: Source,
  code: Code,
  at: JsonPath,
  words: Pick<Diagnostic, "found" | "needed" | "fix">,
): Diagnostic {
  return { code, severity: "error", path: source.path, ...words, place: placeOf(source, at) };
}

/** The place of a value; of something absent, that of the nearest that is there. */
function placeOf(source: Source, at: JsonPath): Place {
  for (let length = at.length; length > 0; length--) {
    const node = source.document.getIn(at.slice(0, length), true) as
      | { range?: [number, number, number] }
      | undefined;
    if (node?.range) return placeAt(source, [node.range[0], node.range[1]]);
  }
  return placeAt(source, [0, 1]);
}

/** Of a value over several lines, its first line. */
function placeAt({ file, text: content, lines }: Source, [start, end]: readonly [number, number]): Place {
  const { line, col } = lines.linePos(start);
  const from = content.lastIndexOf("\n", start - 1) + 1;
  const whole = content.slice(from).split(/\r?\n/, 1)[0] ?? "";
  const length = Math.max(1, Math.min(end - start, whole.length - (start - from)));
  return { file, line, column: col, endColumn: col + length, text: whole };
}
