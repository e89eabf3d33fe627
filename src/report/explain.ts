import type { Decision, Plan } from "../plan/types.ts";
import { printable, type Style } from "./style.ts";

/** Words of the command line with the decisions behind them, as src/argv spells them. */
export interface SpelledOption {
  readonly words: readonly string[];
  /** Ids of decisions. */
  readonly because: readonly string[];
}

/**
 * Every decision with its rule, the facts and the source, in the order they were made, each with the options that
 * follow from it. An option of several decisions stands below the first and names the others.
 */
export function renderExplanation(plan: Plan, options: readonly SpelledOption[], style: Style): string[] {
  return plan.decisions.flatMap((decision, index) => [
    ...(plan.decisions[index - 1]?.concern === decision.concern ? [] : heading(decision, index, style)),
    ...decisionLines(decision, style),
    ...options.filter(({ because }) => because[0] === decision.id).map((option) => optionLine(option, style)),
  ]);
}

function heading({ concern }: Decision, index: number, { colors }: Style): string[] {
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
