import { liveDevices } from "./live-devices.ts";
import { rounds } from "./rounds.ts";
import { spine } from "./spine.ts";

export const suites = { spine, "live-devices": liveDevices, rounds };
