// Rewrites test/hosts/*.json from test/hosts/sources/. The tests compare; this is the only thing that writes.
import { readFileSync, writeFileSync } from "node:fs";
import { importTypeScript } from "./import-typescript.mjs";

const hosts = new URL("../test/hosts/", import.meta.url);
const { recordHosts } = await importTypeScript("scripts/record-hosts.ts");
const texts = await recordHosts((name) => readFileSync(new URL(`sources/${name}`, hosts), "utf8"));
for (const [name, text] of Object.entries(texts)) writeFileSync(new URL(name, hosts), text);
console.log(`wrote ${Object.keys(texts).join(", ")}`);
