const longestLine = 160;

/**
 * JSON that people can read and compare: an object or list that fits on a line is one line, and so is every list of
 * plain values, however long.
 */
export function formatJson(value: unknown, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const inner = `${indent}  `;
  const members = Object.entries(value).map(([key, member]) => {
    const text = formatJson(member, inner);
    return isList ? text : `${JSON.stringify(key)}: ${text}`;
  });
  if (members.length === 0) return isList ? "[]" : "{}";
  const isPlain = isList && value.every((member) => typeof member !== "object");
  const length = indent.length + members.reduce((sum, member) => sum + member.length + 2, 2);
  const fits = length <= longestLine && !members.some((member) => member.includes("\n"));
  if (isPlain) return `[${members.join(", ")}]`;
  if (fits) return isList ? `[${members.join(", ")}]` : `{ ${members.join(", ")} }`;
  const [open, close] = isList ? "[]" : "{}";
  return `${open}\n${inner}${members.join(`,\n${inner}`)}\n${indent}${close}`;
}
