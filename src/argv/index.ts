export { type ArgvItem, argvItems, renderArgv } from "./render.ts";
export { renderShell } from "./shell.ts";
