export { type ExportedDomain, exportDomain } from "./libvirt/index.ts";
