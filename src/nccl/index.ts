export { ncclDevices } from "./devices.ts";
export { type NcclPrediction, predictNccl } from "./predict.ts";
export { topoFile } from "./topo-file.ts";
