/** The least that is a profile, with changes. */
export function profileText(changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify(
    { version: 1, name: "vm", cpus: { boot: 2 }, memory: { size: "1G" }, ...changes },
    null,
    2,
  );
}
