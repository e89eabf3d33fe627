/** What a running guest sees, beside its plan; one job of the verify room. */
export { type Verification, verifyVm } from "../verify/index.ts";
