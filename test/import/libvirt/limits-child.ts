import fc from "fast-check";
import { importDomain } from "../../../src/import/libvirt/index.ts";
import { anyElement, anyText } from "./any-document.ts";

// A process of its own for one document, or for 10,000 random ones: what it prints is the most memory that it ever had.

const largest = 4 * 2 ** 20 - 100;
const many = (piece: string, most = Number.POSITIVE_INFINITY) =>
  piece.repeat(Math.min(most, Math.floor(largest / piece.length)));
const disk = "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>";

/** As large and as full as documents may be, and larger. */
const documents = [
  `<domain>${many("<x/>", 99_000)}</domain>`,
  `<domain>${many("<x/>")}</domain>`,
  `<domain><devices>${many(disk, 24_000)}</devices></domain>`,
  `<domain><devices>${many("<controller type='pci' index='1' model='pcie-root-port'/>")}</devices></domain>`,
  `<domain><name>${many("a")}</name></domain>`,
  `<domain><name>${many("&#x41;")}</name></domain>`,
  `<domain ${Array.from({ length: 99_000 }, (_, index) => `a${index}='1'`).join(" ")}/>`,
  `<domain>${many("<a>")}`,
  "<!DOCTYPE d [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><domain>&b;</domain>",
  "<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>",
  "<!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><domain><name>&a;</name></domain>",
  "<?xml version='1.0'?><?xml-stylesheet href='/etc/passwd'?><domain xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='/etc/passwd' parse='text'/></domain>",
  `<domain><vcpu cpuset='0-999999999'>4096</vcpu><cpu><numa><cell cpus='0-4294967295' memory='1'/></numa></cpu></domain>`,
  "x".repeat(16 * 2 ** 20),
];
const which = process.argv[2] ?? "";
if (which === "count") process.stdout.write(JSON.stringify(documents.length));
else {
  const text = documents[Number(which)];
  documents.length = 0;
  const isRead = text !== undefined && importDomain(text).ok;
  if (which === "any") {
    const any = fc.oneof(
      anyText,
      anyElement.map((inside) => `<domain>${inside}</domain>`),
    );
    fc.assert(
      fc.property(any, (random) => {
        importDomain(random);
      }),
      { numRuns: 10_000 },
    );
  }
  process.stdout.write(JSON.stringify({ isRead, mostBytes: process.resourceUsage().maxRSS * 1024 }));
}
