// Writes profiles/profile.schema.json from src/profile, for editors; a test fails when it is stale.
import { writeFileSync } from "node:fs";
import { importTypeScript } from "./import-typescript.mjs";

const { profileJsonSchema } = await importTypeScript("src/profile/schemas.ts");
const target = new URL("../profiles/profile.schema.json", import.meta.url);
writeFileSync(target, `${JSON.stringify(profileJsonSchema(), null, 2)}\n`);
