import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { checkProfile } from "../../src/actions/start.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const text = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

it("check tells what keeps the NICs and GPUs of a board from each other, with its place and the commands", async () => {
  const system = fakeSystem({
    "/vms/board.json": text("../profiles/hgx-h200.json"),
    "/vms/host.json": text("hosts/hgx-h200.json"),
  });
  const request = { profileFile: "/vms/board.json", snapshot: "/vms/host.json", mayStart: false };
  const { diagnostics } = await checkProfile(system, request);
  const advice = diagnostics.filter(({ code }) => code === "HOST_P2P");
  expect(advice.map(({ severity, place, found }) => `${severity} ${place?.text.trim()}: ${found}`)).toEqual([
    'warning { "select": { "vendor": "10de", "class": "3d" } },: 0000:17:01.0, 0000:17:02.0, 0000:39:01.0, 0000:39:02.0 and 12 more send translated requests up to the root complex',
    'warning { "select": { "class": "infiniband" } },: 0000:1a:00.0, 0000:3c:00.0, 0000:4d:00.0, 0000:5e:00.0 and 4 more, NICs without ATS',
  ]);
  expect(advice.map(({ fix }) => fix.match(/mlxconfig -d|qlaunch acs apply/g)?.length)).toEqual([1, 8]);
});
