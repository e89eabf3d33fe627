import { expect, it } from "vitest";
import { plan } from "./planning.ts";

it("passes extraArgs on, last and marked", () => {
  const planned = plan({ extraArgs: ["-foo", "a,b c"] });
  expect(planned.options.at(-1)).toMatchObject({ option: "extra", arguments: ["-foo", "a,b c"] });
  expect(planned.decisions.find(({ id }) => id === "extraArgs")?.rule).toContain(
    "its checks do not cover them",
  );
});
