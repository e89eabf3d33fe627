import { liveDevices } from "./live-devices.ts";
import { liveVcpus } from "./live-vcpus.ts";
import { spine } from "./spine.ts";

export const suites = { spine, "live-vcpus": liveVcpus, "live-devices": liveDevices };
