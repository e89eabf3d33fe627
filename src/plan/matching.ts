/**
 * Whether every member can have a choice of its own (a matching that covers all members, by augmenting paths).
 *
 * @param choices for each member, what it may have
 * @returns undefined when all can; else a group of members that together have fewer choices than they are
 */
export function canEachHaveOwn(
  choices: readonly (readonly number[])[],
): { members: number[]; choices: number[] } | undefined {
  const holder = new Map<number, number>();
  const held = new Map<number, number>();
  for (let member = 0; member < choices.length; member++) {
    const reached = new Map<number, number>();
    const free = augment(member, choices, holder, reached);
    if (free === undefined) {
      // What an unsuccessful search has reached is Hall's witness: those members share just these choices.
      const witness = new Set([member, ...[...reached.keys()].map((choice) => holder.get(choice) ?? member)]);
      return {
        members: [...witness].sort((a, b) => a - b),
        choices: [...reached.keys()].sort((a, b) => a - b),
      };
    }
    // Along the path back to the member, each gives up what it held for what was found.
    for (let choice: number | undefined = free; choice !== undefined; ) {
      const taker: number = reached.get(choice) ?? member;
      const previous = held.get(taker);
      holder.set(choice, taker);
      held.set(taker, choice);
      choice = previous;
    }
  }
  return undefined;
}

/** Breadth-first search for a choice that nobody holds; `reached` says through whom each choice was reached. */
function augment(
  start: number,
  choices: readonly (readonly number[])[],
  holder: ReadonlyMap<number, number>,
  reached: Map<number, number>,
): number | undefined {
  const queue = [start];
  for (const member of queue) {
    for (const choice of choices[member] ?? []) {
      if (reached.has(choice)) continue;
      reached.set(choice, member);
      const owner = holder.get(choice);
      if (owner === undefined) return choice;
      queue.push(owner);
    }
  }
  return undefined;
}
