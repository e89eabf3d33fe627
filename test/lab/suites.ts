import { board } from "./board.ts";
import { companions } from "./companions.ts";
import { liveDevices } from "./live-devices.ts";
import { rounds } from "./rounds.ts";
import { spine } from "./spine.ts";

export const suites = { spine, "live-devices": liveDevices, rounds, companions, board };
