interface KnownDeath {
  /** In QEMU's own words; groups can be named in the texts as $1. */
  readonly words: RegExp;
  readonly needed: string;
  readonly fix: string;
}

export const knownDeaths: readonly KnownDeath[] = [];
