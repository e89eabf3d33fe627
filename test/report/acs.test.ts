import { expect, it } from "vitest";
import { renderAcs, renderAcsChanges } from "../../src/report/index.ts";
import { plain } from "./style.ts";

const common = { vendor: "1000", device: "c030", node: 0 };

it("shows a port or NIC a line: what it has, and what apply and restore would change", () => {
  const lines = renderAcs(
    [
      {
        ...common,
        address: "0000:17:01.0",
        kind: "root-port",
        class: "060400",
        acs: { capability: 0x5d, control: 0x5d },
        before: 0x1d,
      },
      {
        ...common,
        address: "0000:19:00.0",
        kind: "downstream-port",
        class: "060400",
        acs: { capability: 0x4c, control: 0 },
      },
      { ...common, address: "0000:1b:00.0", kind: "endpoint", class: "020700", ats: false, node: -1 },
    ],
    plain,
  );
  expect(lines).toEqual([
    "address       kind             ids        node  ATS  ACS                                                        acs apply                           acs restore",
    "0000:17:01.0  root-port        1000:c030     0  -    SrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ DirectTrans+  as it is                            DirectTrans-",
    "0000:19:00.0  downstream-port  1000:c030     0  -    ReqRedir- CmpltRedir- DirectTrans-                         ReqRedir+ CmpltRedir+ DirectTrans+  -",
    "0000:1b:00.0  infiniband       1000:c030     -  off  -                                                          -                                   -",
  ]);
  expect(renderAcs([], plain)).toEqual(["no PCIe port and no NIC"]);
});

it("tells what each port has now", () => {
  const change = { address: "0000:17:01.0", capability: 0x44, before: 0x04, after: 0x44 };
  expect(renderAcsChanges([change, { ...change, after: 4 }])).toEqual([
    "0000:17:01.0 has ReqRedir+ DirectTrans+",
    "0000:17:01.0 has ReqRedir+ DirectTrans- as before",
  ]);
  expect(renderAcsChanges([])).toEqual(["nothing was changed since the machine started"]);
});
