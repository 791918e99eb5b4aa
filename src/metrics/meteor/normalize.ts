/** METEOR's own text normalisation (`-l en -norm`): punctuation apart, acronyms without dots, hyphenated words split. */

/** Letters as METEOR 1.5 knows them: Latin up to Extended-A, Cyrillic, phonetic extensions; nothing else. */
const LETTERS =
  'A-Za-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u017e\\u0400-\\u0527\\u1d00-\\u1d7f\\ua640-\\ua66e\\ua67e-\\ua697';
const SPACES = '\\t\\n\\v\\f\\r ';

const WIDE_SPACE =
  / *[\u00a0\u2000-\u200a\u202f\u205f\u3000][ \u00a0\u2000-\u200a\u202f\u205f\u3000]*/g;
const SPECIAL = new RegExp(`([^${LETTERS}0-9${SPACES}.'\`,-])`, 'gu');
const HYPHEN = new RegExp(`([${LETTERS}0-9.])-([${LETTERS}0-9])`, 'g');
const QUOTE_ALONE = new RegExp(`([^${LETTERS}])'([^${LETTERS}])`, 'gu');
const QUOTE_OPENS = new RegExp(`([^${LETTERS}0-9])'([${LETTERS}])`, 'gu');
const QUOTE_CLOSES = new RegExp(`([${LETTERS}])'([^${LETTERS}])`, 'gu');
const QUOTE_INSIDE = new RegExp(`([${LETTERS}])'([${LETTERS}])`, 'g');
const QUOTE_AFTER_DIGIT = /([0-9])'(s)/g;
const HAS_LETTER = new RegExp(`[${LETTERS}]`);
const PLAIN = /^[A-Za-z0-9 ]*$/;

/** Abbreviations that keep their dot; they come before a name. */
const PREFIXES = new Set(
  (
    'A B C D E F G H I J K L M N O P Q R S T U V W X Y Z Adj Adm Adv Asst Bart Bldg Brig Bros Capt Cmdr Col Comdr ' +
    'Con Corp Cpl DR Dr Drs Ens Gen Gov Hon Hr Hosp Insp Lt MM MR MRS MS Maj Messrs Mlle Mme Mr Mrs Ms Msgr Op Ord ' +
    'Pfc Ph Prof Pvt Rep Reps Res Rev Rt Sen Sens Sfc Sgt Sr St Supt Surg v vs i.e rev e.g Nos Nr'
  ).split(' '),
);
/** Abbreviations that keep their dot before a number. */
const NUMERIC_PREFIXES = new Set(['No', 'Art', 'pp']);

/**
 * Normalises a line as METEOR 1.5 does with `-l en -norm` and returns its words, lower case.
 * Text that a PTB tokenizer split already changes further: `n't` becomes `n` and `'t`, `u.s.` becomes `us`.
 */
export function meteorWords(text: string): string[] {
  const normal = PLAIN.test(text) ? text : normalizeLine(text);
  return normal
    .toLowerCase()
    .split(/[ \t\n\r\f]+/)
    .filter((word) => word !== '');
}

/** The normalised line, case kept. */
export function normalizeLine(line: string): string {
  let text = ` ${line
    .replace(/\u2013/g, ' - ')
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/[\u2018\u2019]/g, "'")} `;
  text = text.replace(SPECIAL, ' $1 ');
  text = text.replace(/\.(\.+)/g, ' .$1 ');
  text = text
    .replace(/([^0-9]),([^0-9])/gu, '$1 , $2')
    .replace(/([0-9]),([^0-9])/gu, '$1 , $2')
    .replace(/([^0-9]),([0-9])/gu, '$1 , $2');
  text = text.replace(/--/g, '-').replace(HYPHEN, '$1 $2');
  text = text.replace(/`/g, "'").replace(/''/g, ' " ');
  text = text
    .replace(QUOTE_ALONE, "$1 ' $2")
    .replace(QUOTE_OPENS, "$1 ' $2")
    .replace(QUOTE_CLOSES, "$1 ' $2")
    .replace(QUOTE_INSIDE, "$1 '$2")
    .replace(QUOTE_AFTER_DIGIT, "$1 '$2");
  return splitFinalDots(text.split(/[ \t\n\r\f]+/).filter((word) => word !== ''));
}

function splitFinalDots(words: readonly string[]): string {
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word.length < 2 || !word.endsWith('.') || word.endsWith('..')) {
      out.push(word);
      continue;
    }
    const stem = word.slice(0, -1);
    const next = words[i + 1] ?? '';
    if (stem.includes('.') && HAS_LETTER.test(stem)) out.push(stem.replaceAll('.', ''));
    else if (PREFIXES.has(stem) || /^[a-z]/.test(next)) out.push(word);
    else if (NUMERIC_PREFIXES.has(stem) && /^[0-9]/.test(next)) out.push(word);
    else out.push(stem, '.');
  }
  return trimJava(out.join(' ').replace(WIDE_SPACE, ' '));
}

/** Java's trim(): control characters at the ends go too. */
function trimJava(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 32) start++;
  while (end > start && text.charCodeAt(end - 1) <= 32) end--;
  return text.slice(start, end);
}
