const columns = [
  ["work", (row) => row.work],
  ["against", (row) => row.floor],
  ["ratio", (row) => row.ratio.toFixed(2)],
  ["spread", (row) => `${row.ratioMin.toFixed(2)}-${row.ratioMax.toFixed(2)}`],
  ["ours", (row) => value(row.oursMs, row)],
  ["floor", (row) => value(row.floorMs, row)],
];

function value(number, { unit = "ms" }) {
  return `${number.toFixed(1)} ${unit}`;
}

/** A Markdown table that also aligns in a terminal. */
export function tableOf(rows, versions) {
  const cells = rows.map((row) => columns.map(([, value]) => value(row)));
  const widths = columns.map(([header], index) =>
    Math.max(header.length, ...cells.map((line) => line[index].length)),
  );
  const isText = (index) => index < 2;
  const line = (texts) =>
    `| ${texts.map((text, index) => (isText(index) ? text.padEnd(widths[index]) : text.padStart(widths[index]))).join(" | ")} |`;
  const rule = widths.map((width, index) =>
    isText(index) ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`,
  );
  const { runs, node, qemu, qlaunch, libvirt } = versions;
  const made = [`qlaunch ${qlaunch}`, `Node ${node}`, qemu, libvirt && `libvirt ${libvirt}`].filter(Boolean);
  return [
    line(columns.map(([header]) => header)),
    `|${rule.join("|")}|`,
    ...cells.map(line),
    "",
    `${runs} runs each, interleaved; medians. ${made.join(", ")}.`,
  ].join("\n");
}
