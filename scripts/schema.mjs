// Writes profiles/profile.schema.json from src/profile, for editors; a test fails when it is stale.
import { writeFileSync } from "node:fs";
import { build } from "esbuild";

process.chdir(new URL("..", import.meta.url).pathname);

const { outputFiles } = await build({
  entryPoints: ["src/profile/json-schema.ts"],
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
});
const code = Buffer.from(outputFiles[0].contents).toString("base64");
const { profileJsonSchema } = await import(`data:text/javascript;base64,${code}`);
writeFileSync("profiles/profile.schema.json", `${JSON.stringify(profileJsonSchema(), null, 2)}\n`);
