import * as z from "zod";
import { profileSchema } from "./schema.ts";

/**
 * The profile format as JSON Schema 2020-12, as a person writes it: sizes and sets as text, what has a default left
 * out. Rules between keys are the planner's and not in it.
 */
export function profileJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(profileSchema, { io: "input" });
  return {
    $schema,
    $id: "urn:qlaunch:profile:1",
    title: "A qlaunch profile",
    description: "One virtual machine. Sizes are bytes or text such as 32G; what is left out has a default.",
    ...schema,
  };
}
