export { type Code, type CodeInfo, codes, exitStatusOf } from "./codes.ts";
export { type Diagnostic, formatJsonPath, type JsonPath, type Place } from "./diagnostic.ts";
export { QlaunchError, refusal } from "./qlaunch-error.ts";
export { failure, type Result, success } from "./result.ts";
export { unreachable } from "./unreachable.ts";
