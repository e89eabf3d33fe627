import type { Decision, Plan } from "../plan/types.ts";
import { printable, type Style } from "./style.ts";

/** Words of the command line with the decisions behind them, as src/argv spells them. */
export interface SpelledOption {
  readonly words: readonly string[];
  /** Ids of decisions. */
  readonly because: readonly string[];
}

/**
 * Every decision with its rule, the facts and the source, concern by concern, each with the options that follow from
 * it. An option of several decisions stands below the first and names the others.
 */
export function renderExplanation(plan: Plan, options: readonly SpelledOption[], style: Style): string[] {
  const concerns = [...new Set(plan.decisions.map(({ concern }) => concern))];
  const decisions = concerns.flatMap((concern) =>
    plan.decisions.filter((decision) => decision.concern === concern),
  );
  const known = new Set(decisions.map(({ id }) => id));
  const orphans = options.filter(({ because }) => !known.has(because[0] ?? ""));
  return [
    ...decisions.flatMap((decision, index) => [
      ...(decisions[index - 1]?.concern === decision.concern ? [] : heading(decision.concern, index, style)),
      ...decisionLines(decision, style),
      ...options
        .filter(({ because }) => because[0] === decision.id)
        .map((option) => optionLine(option, style)),
    ]),
    // A plan has none of these; a reader shall see it if one has.
    ...(orphans.length > 0
      ? ["", "without a decision", ...orphans.map((option) => optionLine(option, style))]
      : []),
  ];
}

function heading(concern: string, index: number, { colors }: Style): string[] {
  return [...(index === 0 ? [] : [""]), colors.bold(concern)];
}

function decisionLines({ id, value, rule, facts, source }: Decision, { colors }: Style): string[] {
  const label = (name: string) => colors.dim(`${name}:`);
  return [
    `  ${colors.cyan(id)} = ${printable(value)}`,
    `    ${label("rule")} ${printable(rule)}`,
    ...facts.map((fact) => `    ${label("fact")} ${printable(fact)}`),
    `    ${label("source")} ${source}`,
  ];
}

function optionLine({ words, because }: SpelledOption, { colors }: Style): string {
  const others = because.length > 1 ? colors.dim(`  (also ${because.slice(1).join(", ")})`) : "";
  return `    ${colors.green(printable(words.join(" ")))}${others}`;
}
