/** The Snowball English stemmer (Porter2) in the version that METEOR 1.5 carries. */

/** Words with a stem of their own (the whole word is looked up). */
const SPECIAL: ReadonlyMap<string, string> = new Map(
  (
    'skis ski skies sky dying die lying lie tying tie idly idl gently gentl ugly ugli early earli only onli ' +
    'singly singl sky sky news news howe howe atlas atlas cosmos cosmos bias bias andes andes'
  )
    .split(' ')
    .reduce<[string, string][]>((pairs, word, i, all) => {
      if (i % 2 === 0) pairs.push([word, all[i + 1] ?? '']);
      return pairs;
    }, []),
);
/** Words that stay as they are once a plural ending is gone. */
const KEPT = new Set('inning outing canning herring earring proceed exceed succeed'.split(' '));

/** Suffixes of steps 2 to 4, longest first, and what replaces them. */
const STEP_2 = suffixes(
  'ational:ate fulness:ful iveness:ive ization:ize ousness:ous biliti:ble lessli:less tional:tion alism:al ' +
    'aliti:al ation:ate entli:ent fulli:ful iviti:ive ousli:ous abli:able alli:al anci:ance ator:ate enci:ence ' +
    'izer:ize bli:ble ogi:og li:',
);
const STEP_3 = suffixes(
  'ational:ate tional:tion alize:al ative: icate:ic iciti:ic ical:ic ness: ful:',
);
const STEP_4 = suffixes(
  'ement: able: ance: ence: ible: ment: ant: ate: ent: ion: ism: iti: ive: ize: ous: al: er: ic:',
);

function suffixes(text: string): readonly (readonly [string, string])[] {
  return text.split(' ').map((pair): [string, string] => {
    const [suffix = '', replacement = ''] = pair.split(':');
    return [suffix, replacement];
  });
}

/**
 * Stems a lower-case word with Porter2 (Snowball English).
 * Text in other scripts, and words of one or two letters, come back unchanged.
 */
export function englishStem(word: string): string {
  const special = SPECIAL.get(word);
  if (special !== undefined) return special;
  if (word.length < 3) return word;
  let text = markConsonantY(word.startsWith("'") ? word.slice(1) : word);
  const [r1, r2] = regions(text);
  text = plural(text);
  if (KEPT.has(text)) return text;
  text = pastAndGerund(text, r1);
  text = finalY(text);
  text = derivational(text, r1, r2);
  return finalEl(text, r1, r2).replaceAll('Y', 'y');
}

const isVowel = (char: string | undefined) =>
  char !== undefined && 'aeiouy'.includes(char) && char !== '';

/** Writes `Y` for a y at the start or after a vowel: it counts as a consonant. */
function markConsonantY(word: string): string {
  if (!word.includes('y')) return word;
  const letters = [...word];
  if (letters[0] === 'y') letters[0] = 'Y';
  for (let i = 1; i < letters.length; i++)
    if (letters[i] === 'y' && isVowel(letters[i - 1])) letters[i] = 'Y';
  return letters.join('');
}

/** Where R1 and R2 begin: after the first, second consonant that follows a vowel. */
function regions(text: string): [number, number] {
  const prefix = /^(?:gener|commun|arsen)/.exec(text);
  const r1 = prefix ? prefix[0].length : afterVowelConsonant(text, 0);
  return [r1, afterVowelConsonant(text, r1)];
}

function afterVowelConsonant(text: string, from: number): number {
  let i = from;
  while (i < text.length && !isVowel(text[i])) i++;
  while (i < text.length && isVowel(text[i])) i++;
  return i < text.length ? i + 1 : text.length;
}

/** Steps 0 and 1a: possessives and plurals. */
function plural(word: string): string {
  const text = word.replace(/'s'$|'s$|'$/, '');
  if (text.endsWith('sses')) return text.slice(0, -2);
  if (text.endsWith('ied') || text.endsWith('ies')) return text.slice(0, text.length > 4 ? -2 : -1);
  if (!text.endsWith('s') || text.endsWith('us') || text.endsWith('ss')) return text;
  // The vowel may not stand right before the s.
  for (let i = 0; i < text.length - 2; i++) if (isVowel(text[i])) return text.slice(0, -1);
  return text;
}

/** Step 1b: -eed, -ed, -ing. */
function pastAndGerund(text: string, r1: number): string {
  const match = /(?:eedly|ingly|edly|eed|ing|ed)$/.exec(text);
  if (!match) return text;
  const stem = text.slice(0, match.index);
  if (match[0].startsWith('eed')) return match.index >= r1 ? `${stem}ee` : text;
  if (!/[aeiouy]/.test(stem)) return text;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/.test(stem)) return stem.slice(0, -1);
  return stem.length === r1 && endsShort(stem) ? `${stem}e` : stem;
}

/** Whether the text ends in a short syllable. */
function endsShort(text: string): boolean {
  const n = text.length;
  if (n === 2) return isVowel(text[0]) && !isVowel(text[1]);
  return (
    n > 2 &&
    !isVowel(text[n - 3]) &&
    isVowel(text[n - 2]) &&
    !isVowel(text[n - 1]) &&
    !'wxY'.includes(text[n - 1] ?? '')
  );
}

/** Step 1c: y after a consonant that is not the first letter. */
function finalY(text: string): string {
  if (!/[yY]$/.test(text) || text.length < 3 || isVowel(text.at(-2))) return text;
  return `${text.slice(0, -1)}i`;
}

/** Steps 2 to 4: derivational endings. */
function derivational(word: string, r1: number, r2: number): string {
  let text = replaceSuffix(word, STEP_2, r1, (stem, suffix) => {
    if (suffix === 'ogi') return stem.endsWith('l');
    return suffix !== 'li' || /[cdeghkmnrt]$/.test(stem);
  });
  text = replaceSuffix(text, STEP_3, r1, (stem, suffix) => suffix !== 'ative' || stem.length >= r2);
  return replaceSuffix(text, STEP_4, r2, (stem, suffix) => suffix !== 'ion' || /[st]$/.test(stem));
}

/** Takes the longest suffix; it goes only if it lies in the region and the condition holds. */
function replaceSuffix(
  text: string,
  rules: readonly (readonly [string, string])[],
  region: number,
  condition: (stem: string, suffix: string) => boolean,
): string {
  for (const [suffix, replacement] of rules) {
    if (!text.endsWith(suffix)) continue;
    const stem = text.slice(0, text.length - suffix.length);
    return stem.length >= region && condition(stem, suffix) ? stem + replacement : text;
  }
  return text;
}

/** Step 5: a final e or l. */
function finalEl(text: string, r1: number, r2: number): string {
  const stem = text.slice(0, -1);
  if (text.endsWith('e'))
    return stem.length >= r2 || (stem.length >= r1 && !endsShort(stem)) ? stem : text;
  return text.endsWith('ll') && stem.length >= r2 ? stem : text;
}
