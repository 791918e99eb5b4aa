/** Reads `srcset` attributes, as the HTML standard parses them. */

/** The addresses of a `srcset`, the largest picture first. */
export function addressesOfSrcset(text: string): string[] {
  const candidates: { address: string; size: number }[] = [];
  const next = /[\s,]*([^\s]+)/y;
  for (let found = next.exec(text); found; found = next.exec(text)) {
    const [, run] = found;
    const address = run.replace(/,+$/, '');
    let size = 1;
    // A comma that ends the address ends the candidate: it has no descriptor.
    if (address === run) {
      const descriptor = /[^,(]*(?:\([^)]*\)[^,(]*)*/y;
      descriptor.lastIndex = next.lastIndex;
      const [words = ''] = descriptor.exec(text) ?? [];
      next.lastIndex += words.length;
      size = Number(/([\d.]+)[wx]\b/.exec(words)?.[1] ?? 1);
    }
    if (address !== '') candidates.push({ address, size });
  }
  return candidates.sort((a, b) => b.size - a.size).map(({ address }) => address);
}
