/** The words of a line that libvirt quoted for a shell. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === " ") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'") {
      const end = line.indexOf("'", at + 1);
      word = (word ?? "") + line.slice(at + 1, end);
      at = end;
    } else if (character === "\\") {
      word = (word ?? "") + line.charAt(++at);
    } else word = (word ?? "") + character;
  }
  return word === undefined ? words : [...words, word];
}
