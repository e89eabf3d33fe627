// Prints this machine as a host snapshot, without a build. `--qemu PROGRAM` names the QEMU; `--only-qemu` prints what
// that QEMU can do and nothing else, the form of test/hosts/sources/qemu-*.json.
import { parseArgs } from "node:util";
import { importTypeScript } from "./import-typescript.mjs";

const { values } = parseArgs({
  options: { qemu: { type: "string" }, "only-qemu": { type: "boolean", default: false } },
});
const { recordHost } = await importTypeScript("scripts/record-host.ts");
process.stdout.write(await recordHost({ qemu: values.qemu, onlyQemu: values["only-qemu"] }));
