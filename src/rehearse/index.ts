export { comparePlans } from "./compare-plans.ts";
export { ensureImages, findImages, type GuestFile } from "./images.ts";
export { fitGuest } from "./inner.ts";
export { compareDrivers, placedProfile } from "./inside.ts";
export { type Assignment, jobText, type OwnProgram } from "./job.ts";
export { findKernel } from "./kernel.ts";
export { jobPort, outputPort, simulatedHostName, simulateHost } from "./outer.ts";
export { scaleHost } from "./scale.ts";
export { lineReader, type TalkEnding, talkToHost } from "./talk.ts";
