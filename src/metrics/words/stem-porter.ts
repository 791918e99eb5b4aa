/** Porter's stemmer with NLTK's extensions (nltk.stem.PorterStemmer's default), as rouge_score and NLTK's METEOR use it. */

/** Words with a stem of their own. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['sky', 'sky'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
]);

type Rules = readonly (readonly [suffix: string, replacement: string])[];

/** The first suffix that the word has decides, whether its condition holds or not. */
const STEP_2: Rules = rules(
  'ational:ate tional:tion enci:ence anci:ance izer:ize bli:ble alli:al entli:ent eli:e ousli:ous ' +
    'ization:ize ation:ate ator:ate alism:al iveness:ive fulness:ful ousness:ous aliti:al iviti:ive biliti:ble ' +
    'fulli:ful logi:log',
);
const STEP_3: Rules = rules('icate:ic ative: alize:al iciti:ic ical:ic ful: ness:');
const STEP_4: Rules = rules(
  'al: ance: ence: er: ic: able: ible: ant: ement: ment: ent: ion: ou: ism: ate: iti: ous: ive: ize:',
);

function rules(text: string): Rules {
  return text.split(' ').map((pair): [string, string] => {
    const [suffix = '', replacement = ''] = pair.split(':');
    return [suffix, replacement];
  });
}

/**
 * Stems a word as NLTK 3.10's `PorterStemmer().stem` does; the word is lower-cased first.
 * Porter, "An algorithm for suffix stripping", 1980, with NLTK_EXTENSIONS.
 */
export function porterStem(word: string): string {
  if (ASTRAL.test(word)) return stemWithStandIns(word);
  const lower = word.toLowerCase();
  const special = SPECIAL.get(lower);
  if (special !== undefined) return special;
  if (word.length <= 2) return lower;
  let text = step1a(lower);
  text = step1b(text);
  text = step1c(text);
  text = step2(text);
  text = firstSuffix(text, STEP_3, (stem) => measure(stem) > 0);
  text = firstSuffix(
    text,
    STEP_4,
    (stem, suffix) => measure(stem) > 1 && (suffix !== 'ion' || /[st]$/.test(stem)),
  );
  text = step5a(text);
  return text.endsWith('ll') && measure(text.slice(0, -1)) > 1 ? text.slice(0, -1) : text;
}

const ASTRAL = /[\ud800-\udfff]/;

/** Python counts a character outside the basic plane as one: a private character stands in for each. */
function stemWithStandIns(word: string): string {
  const originals: string[] = [];
  const plain = word
    .toLowerCase()
    .replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (char) => {
      if (!originals.includes(char)) originals.push(char);
      return String.fromCharCode(0xe000 + originals.indexOf(char));
    });
  return porterStem(plain).replace(
    /[\ue000-\uf8ff]/g,
    (char) => originals[char.charCodeAt(0) - 0xe000] ?? char,
  );
}

/** "c" for each consonant, "v" for each vowel; y is a vowel after a consonant. */
function pattern(text: string): string {
  let out = '';
  let consonant = false;
  for (const char of text) {
    if (char === 'y') consonant = out === '' || !consonant;
    else consonant = !'aeiou'.includes(char);
    out += consonant ? 'c' : 'v';
  }
  return out;
}

/** Porter's m: how often a consonant follows a vowel. */
function measure(stem: string): number {
  const shape = pattern(stem);
  let count = 0;
  for (let i = 1; i < shape.length; i++) if (shape[i] === 'c' && shape[i - 1] === 'v') count++;
  return count;
}

/** Whether the text ends consonant, vowel, consonant, the last not w, x, y; NLTK adds vowel, consonant alone. */
function endsCvc(text: string): boolean {
  const shape = pattern(text);
  return (shape.endsWith('cvc') && !/[wxy]$/.test(text)) || shape === 'vc';
}

function firstSuffix(
  text: string,
  list: Rules,
  condition: (stem: string, suffix: string) => boolean,
): string {
  for (const [suffix, replacement] of list) {
    if (!text.endsWith(suffix)) continue;
    const stem = text.slice(0, text.length - suffix.length);
    return condition(stem, suffix) ? stem + replacement : text;
  }
  return text;
}

function step1a(text: string): string {
  if (text.endsWith('ies') && text.length === 4) return text.slice(0, -1);
  if (text.endsWith('sses') || text.endsWith('ies')) return text.slice(0, -2);
  return text.endsWith('s') && !text.endsWith('ss') ? text.slice(0, -1) : text;
}

function step1b(text: string): string {
  if (text.endsWith('ied')) return text.slice(0, text.length === 4 ? -1 : -2);
  if (text.endsWith('eed')) return measure(text.slice(0, -3)) > 0 ? text.slice(0, -1) : text;
  const length = text.endsWith('ed') ? 2 : text.endsWith('ing') ? 3 : 0;
  const stem = text.slice(0, text.length - length);
  const shape = pattern(stem);
  if (length === 0 || !shape.includes('v')) return text;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (shape.endsWith('c') && stem.at(-1) === stem.at(-2))
    return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsCvc(stem) ? `${stem}e` : stem;
}

/** NLTK: y becomes i after a consonant that is not the first letter. */
function step1c(text: string): string {
  const stem = text.slice(0, -1);
  return text.endsWith('y') && stem.length > 1 && pattern(stem).endsWith('c') ? `${stem}i` : text;
}

function step2(text: string): string {
  if (text.endsWith('alli') && measure(text.slice(0, -4)) > 0) return step2(text.slice(0, -2));
  return firstSuffix(text, STEP_2, (stem, suffix) =>
    // The l of "logi" belongs to the stem, so that "theologi" is measured with it.
    suffix === 'logi' ? measure(`${stem}l`) > 0 : measure(stem) > 0,
  );
}

function step5a(text: string): string {
  if (!text.endsWith('e')) return text;
  const stem = text.slice(0, -1);
  const m = measure(stem);
  return m > 1 || (m === 1 && !endsCvc(stem)) ? stem : text;
}
