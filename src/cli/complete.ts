import type { Command } from "commander";

/** What may stand at the end of a command line. `files` asks the shell for file names as well. */
export interface Completion {
  readonly words: readonly string[];
  readonly files: boolean;
}

/**
 * Candidates for the last word.
 * @param words the command line without the program's name; the last one may be empty
 * @param names the VMs that there are
 */
export function complete(program: Command, words: readonly string[], names: readonly string[]): Completion {
  const current = words.at(-1) ?? "";
  let command = program;
  let position = 0;
  let before: string | undefined;
  for (const word of words.slice(0, -1)) {
    const inner = command.commands.find((candidate) => candidate.name() === word);
    if (inner && position === 0) command = inner;
    else if (!word.startsWith("-") && !takesValue(command, before)) position++;
    before = word;
  }
  const option = command.options.find((candidate) => candidate.long === before);
  if (option && (option.required || option.optional)) {
    return option.argChoices ? only(current, option.argChoices) : { words: [], files: true };
  }
  if (current.startsWith("-")) {
    return only(current, [...command.options.flatMap((candidate) => candidate.long ?? []), "--help"]);
  }
  if (command.commands.length > 0 && position === 0) {
    return only(
      current,
      command.commands.map((candidate) => candidate.name()).filter((name) => !name.startsWith("__")),
    );
  }
  const argument = command.registeredArguments[position];
  if (argument?.argChoices) return only(current, argument.argChoices);
  if (argument?.name() === "name") return only(current, names);
  if (argument?.name() === "profile|name") return { ...only(current, names), files: true };
  return { words: [], files: argument?.name() === "profile" };
}

function takesValue(command: Command, word: string | undefined): boolean {
  const option = command.options.find((candidate) => candidate.long === word);
  return option !== undefined && (option.required || option.optional);
}

function only(current: string, candidates: readonly string[]): Completion {
  return { words: candidates.filter((candidate) => candidate.startsWith(current)), files: false };
}

/** Scripts for the shells; each asks `qlaunch __complete`, so that they never go stale. */
export const completionScripts = {
  bash: `# qlaunch completion for bash: eval "$(qlaunch completion bash)"
_qlaunch() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :files) compopt -o default 2>/dev/null ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <(qlaunch __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _qlaunch qlaunch
`,
  zsh: `#compdef qlaunch
# qlaunch completion for zsh: eval "$(qlaunch completion zsh)"
_qlaunch() {
  local -a candidates
  candidates=("\${(@f)$(qlaunch __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${candidates[(I):files]} )); then
    _files
  else
    compadd -- "\${candidates[@]}"
  fi
}
compdef _qlaunch qlaunch
`,
  fish: `# qlaunch completion for fish: qlaunch completion fish | source
function __qlaunch_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (qlaunch __complete -- $words[2..] 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c qlaunch -f -a "(__qlaunch_complete)"
`,
} as const;
