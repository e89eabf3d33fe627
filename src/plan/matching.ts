/** Members that together have fewer choices than they are. */
export interface StarvedGroup {
  readonly members: readonly number[];
  readonly choices: readonly number[];
}

/**
 * Every group that is in the way of each member having a choice of its own; none when each can. A group has all
 * members that are confined to its choices.
 *
 * @param choices for each member, what it may have
 */
export function starvedGroups(choices: readonly (readonly number[])[]): StarvedGroup[] {
  const groups: StarvedGroup[] = [];
  let open = choices.map((_, member) => member);
  for (;;) {
    const starved = findStarved(open.map((member) => choices[member] ?? []));
    if (!starved) return groups;
    const theirs = new Set(starved.choices);
    const members = open.filter((member) => choices[member]?.every((choice) => theirs.has(choice)));
    groups.push({ members, choices: starved.choices });
    const settled = new Set(members);
    open = open.filter((member) => !settled.has(member));
  }
}

/**
 * Whether every member can have a choice of its own (a matching that covers all members, by augmenting paths).
 * Members with the same array of choices cost no more than the array is long.
 *
 * @returns undefined when all can; else a group of members that together have fewer choices than they are
 */
function findStarved(choices: readonly (readonly number[])[]): StarvedGroup | undefined {
  const holder = new Map<number, number>();
  const held = new Map<number, number>();
  const nextFree = freeChoices(holder);
  for (const [member, own] of choices.entries()) {
    const direct = nextFree(own);
    if (direct !== undefined) {
      holder.set(direct, member);
      held.set(member, direct);
      continue;
    }
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

/** A choice once held stays held, by one member or another, so each array is walked once. */
function freeChoices(holder: ReadonlyMap<number, number>) {
  const cursors = new Map<readonly number[], number>();
  return (own: readonly number[]): number | undefined => {
    let cursor = cursors.get(own) ?? 0;
    while (cursor < own.length && holder.has(own[cursor] ?? -1)) cursor++;
    cursors.set(own, cursor);
    return own[cursor];
  };
}

/** Breadth-first search for a choice that nobody holds; `reached` says through whom each choice was reached. */
function augment(
  start: number,
  choices: readonly (readonly number[])[],
  holder: ReadonlyMap<number, number>,
  reached: Map<number, number>,
): number | undefined {
  const queue = [start];
  const walked = new Set<readonly number[]>();
  for (const member of queue) {
    const own = choices[member] ?? [];
    if (walked.has(own)) continue;
    walked.add(own);
    for (const choice of own) {
      if (reached.has(choice)) continue;
      reached.set(choice, member);
      const owner = holder.get(choice);
      if (owner === undefined) return choice;
      queue.push(owner);
    }
  }
  return undefined;
}
