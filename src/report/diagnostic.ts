import { type Diagnostic, formatJsonPath, type Place } from "../errors/index.ts";
import { counted, printable, type Style } from "./style.ts";

/** Lines of a source text are cut to this where there is no terminal. */
const sourceWidth = 120;
const sourceIndent = "    ";

/** Problems for people, errors before warnings, each with its place; the last line counts them. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], style: Style): string[] {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const warnings = diagnostics.filter(({ severity }) => severity === "warning");
  const ordered = [...errors, ...warnings];
  if (ordered.length === 0) return [];
  return [
    ...ordered.flatMap((diagnostic) => renderDiagnostic(diagnostic, style)),
    countLine(errors, warnings, style),
  ];
}

export function renderDiagnostic(diagnostic: Diagnostic, style: Style): string[] {
  const { colors } = style;
  const isError = diagnostic.severity === "error";
  const code = isError ? colors.red(diagnostic.code) : colors.yellow(`warning ${diagnostic.code}`);
  const place = diagnostic.place && colors.bold(describePlace(diagnostic.place));
  const path = formatJsonPath(diagnostic.path);
  const saysPath = diagnostic.path.length === 0 || diagnostic.found.includes(path);
  return [
    [place, code, printable(diagnostic.found)].filter((word) => word !== undefined).join(" "),
    ...(diagnostic.place ? sourceLines(diagnostic.place, isError ? colors.red : colors.yellow, style) : []),
    ...(saysPath ? [] : [labelled("at", path, style)]),
    labelled("needed", diagnostic.needed, style),
    labelled("fix", diagnostic.fix, style),
    ...detailLines(diagnostic.detail, style),
  ];
}

function describePlace({ file, line, column }: Place): string {
  return `${printable(file)}:${line}:${column}`;
}

function labelled(label: string, text: string, { colors }: Style): string {
  return `  ${colors.dim(`${label}:`)} ${printable(text)}`;
}

/** The line without its indent and the value underlined; of a very long line, the part around the value. */
function sourceLines(place: Place, mark: (text: string) => string, { columns }: Style): string[] {
  const width = (columns ?? sourceWidth) - sourceIndent.length;
  const line = printable(place.text);
  const start = place.column - 1;
  const indent = Math.min(line.search(/\S|$/), start);
  const from = line.length - indent <= width ? indent : Math.max(indent, start - Math.floor(width / 3));
  const source = line.slice(from, from + width).trimEnd();
  if (source === "") return [];
  const length = Math.max(1, Math.min(place.endColumn - place.column, width - (start - from)));
  return [
    `${sourceIndent}${source}`,
    `${sourceIndent}${" ".repeat(start - from)}${mark("~".repeat(length))}`,
  ];
}

/** The words of QEMU or the kernel, line by line as they were. */
function detailLines(detail: string | undefined, { colors }: Style): string[] {
  if (detail === undefined || detail.trim() === "") return [];
  const lines = detail.trim().split(/\r?\n/);
  return lines.map((line) => `    ${colors.dim("|")} ${printable(line)}`.trimEnd());
}

function countLine(
  errors: readonly Diagnostic[],
  warnings: readonly Diagnostic[],
  { colors }: Style,
): string {
  return [
    ...(errors.length > 0 ? [colors.red(counted(errors.length, "problem"))] : []),
    ...(warnings.length > 0 ? [colors.yellow(counted(warnings.length, "warning"))] : []),
  ].join(", ");
}
