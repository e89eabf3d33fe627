const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

/** Whether any object of a valid JSON text has a key twice: JSON.parse keeps the last one and says nothing. */
export function hasDuplicateKeys(json: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (const [token] of json.matchAll(tokens)) {
    if (token === "{") {
      open.push(new Set());
      expectsKey = true;
    } else if (token === "[") {
      open.push(undefined);
      expectsKey = false;
    } else if (token === "}" || token === "]") {
      open.pop();
      expectsKey = false;
    } else if (token === ",") expectsKey = open.at(-1) !== undefined;
    else if (token === ":") expectsKey = false;
    else if (expectsKey) {
      const key: string = JSON.parse(token);
      const keys = open.at(-1);
      if (keys?.has(key)) return true;
      keys?.add(key);
    }
  }
  return false;
}
