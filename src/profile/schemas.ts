/*
 * The schema itself, which takes longer to build than most commands to run: a door of its own, for what is made of it
 * and for profiles with something wrong.
 */
export { profileJsonSchema } from "./json-schema.ts";
export { readers } from "./scalars.ts";
export { profileSchema } from "./schema.ts";
