import type { P2pPair } from "../plan/p2p.ts";
import type { Decision, Plan } from "../plan/types.ts";
import { renderP2p } from "./p2p.ts";
import { printable, type Style } from "./style.ts";

/** Words of the command line with the decisions behind them, as src/argv spells them. */
export interface SpelledOption {
  readonly words: readonly string[];
  /** Ids of decisions. */
  readonly because: readonly string[];
}

/**
 * Every decision with its rule, the facts and the source, concern by concern, each with the options that follow from
 * it. An option of several decisions stands below the first and names the others. At the end, which of the devices of
 * the host reach each other's memory.
 */
export function renderExplanation(
  plan: Plan,
  options: readonly SpelledOption[],
  p2p: readonly P2pPair[],
  style: Style,
): string[] {
  const concerns = [...new Set(plan.decisions.map(({ concern }) => concern))];
  const decisions = concerns.flatMap((concern) =>
    plan.decisions.filter((decision) => decision.concern === concern),
  );
  const known = new Set(decisions.map(({ id }) => id));
  const table = renderP2p(p2p, plan.devices, style);
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
    ...(table.length > 0 ? ["", ...table] : []),
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
