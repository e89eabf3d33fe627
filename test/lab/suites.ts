import { companions } from "./companions.ts";
import { liveDevices } from "./live-devices.ts";
import { passthrough } from "./passthrough.ts";
import { rounds } from "./rounds.ts";
import { spine } from "./spine.ts";

export const suites = { spine, "live-devices": liveDevices, rounds, companions, passthrough };
