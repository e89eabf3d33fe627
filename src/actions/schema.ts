/** The profile format as JSON Schema. */
export { profileJsonSchema } from "../profile/schemas.ts";
