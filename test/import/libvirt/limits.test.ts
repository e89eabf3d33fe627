import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";

const most = 256 * 2 ** 20;
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "qlaunch-limits-"));
  await build({
    entryPoints: [fileURLToPath(new URL("limits-child.ts", import.meta.url))],
    ...{
      outfile: join(folder, "child.mjs"),
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
    },
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Node refuses every file but the program, so one that is read ends it. */
async function inChild<Answer>(which: string): Promise<Answer> {
  const child = join(folder, "child.mjs");
  const rights = ["--no-warnings", "--experimental-permission", `--allow-fs-read=${child}`];
  const { stdout } = await execa(process.execPath, [...rights, child, which], { timeout: 60_000 });
  return JSON.parse(stdout) as Answer;
}

interface Answer {
  readonly isRead: boolean;
  readonly mostBytes: number;
}

it("the largest documents, and those that name files, take no more than 256 MiB, and no file is read", async () => {
  const count = await inChild<number>("count");
  const answers: Answer[] = [];
  for (let index = 0; index < count; index++) answers.push(await inChild<Answer>(`${index}`));
  expect(answers.filter(({ mostBytes }) => mostBytes > most)).toEqual([]);
  expect(new Set(answers.map(({ isRead }) => isRead))).toEqual(new Set([true, false]));
});

it("10,000 random documents one after the other take no more than 256 MiB", async () => {
  expect((await inChild<Answer>("any")).mostBytes).toBeLessThan(most);
});
