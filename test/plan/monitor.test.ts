import { describe, expect, it } from "vitest";
import { places, plan, values } from "./planning.ts";

describe("the monitors", () => {
  it("are the launcher's, ours and people's", () => {
    expect(values(plan(), "qmp")).toEqual(["chardev:launch", "chardev:qmp", "chardev:monitor"]);
    expect(values(plan(), "chardev").slice(0, 3)).toEqual([
      "socket,id=launch,fd=3",
      `socket,id=qmp,path=${places.qmpSocket},server=on,wait=off`,
      `socket,id=monitor,path=${places.monitorSocket},server=on,wait=off`,
    ]);
  });
});

it("names its threads, and starts stopped and bare", () => {
  expect(values(plan(), "name")).toEqual(["guest=vm,debug-threads=on"]);
  expect(values(plan(), "pidfile")).toEqual([places.pidFile]);
  const options = plan().options.map((option) => option.option);
  for (const flag of ["S", "nodefaults", "no-user-config"]) expect(options).toContain(flag);
});

it("has the profile's identity, or one that was kept", () => {
  const uuid = "0f2d1b06-6f4b-4a5c-9d27-9c1f3f1f5a10";
  expect(values(plan({ uuid }), "uuid")).toEqual([uuid]);
  expect(plan().uuid).toBeUndefined();
  expect(values(plan(), "uuid")).toEqual([]);
});
