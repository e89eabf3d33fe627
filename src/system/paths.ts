/**
 * Paths of Linux, as `node:path` has them. That module is the one of Node's that most commands would load for nothing else,
 * which takes the single file's runtime a twentieth of a short command.
 */

/** Where one ends and the next begins in PATH. */
export const delimiter = ":";

export const isAbsolute = (path: string): boolean => path.startsWith("/");

/** The parts as one path, without "." and what ".." leaves; "." of nothing. */
export function join(...parts: readonly string[]): string {
  return normalize(parts.filter((part) => part !== "").join("/"));
}

/** From the last absolute one on, or from the working directory. There is no "/" at its end. */
export function resolve(...parts: readonly string[]): string {
  let path = "";
  for (const part of parts) path = isAbsolute(part) ? part : `${path}/${part}`;
  const absolute = parts.some(isAbsolute) ? path : `${process.cwd()}/${path}`;
  return withoutSlash(normalize(absolute)) || "/";
}

/** Of the folder that it is in: "." where the path does not say, "/" of the root itself. */
export function dirname(path: string): string {
  const own = withoutSlash(path);
  const end = own.lastIndexOf("/");
  if (end === -1) return own === "" && isAbsolute(path) ? "/" : ".";
  return withoutSlash(own.slice(0, end)) || "/";
}

/** Its last name. */
export function basename(path: string): string {
  const own = withoutSlash(path);
  return own.slice(own.lastIndexOf("/") + 1);
}

function normalize(path: string): string {
  if (path === "") return ".";
  if (!path.includes("//") && !path.includes("/.") && !path.startsWith(".")) return path;
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    const leaves = name === ".." && names.length > 0 && names.at(-1) !== "..";
    if (leaves) names.pop();
    else if (name !== ".." || !isAbsolute(path)) names.push(name);
  }
  const text = `${isAbsolute(path) ? "/" : ""}${names.join("/")}`;
  if (text === "" || text === "/") return text || (path.endsWith("/") ? "./" : ".");
  return path.endsWith("/") ? `${text}/` : text;
}

function withoutSlash(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}
