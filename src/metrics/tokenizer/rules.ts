/** The rules of Stanford's English tokenizer 3.4.1 as the COCO evaluation runs it: what is a token, and how it is written. */
import { digits, letters, marks, upperCase } from './characters.ts';

/** A kind of token. Of the longest matches the first rule's counts; `before` counts for the length. */
export interface TokenRule {
  pattern: string;
  /** What must follow the token. */
  before?: string;
  /** How the token is written; as it stands if undefined. '' is no token. */
  written?: string | ((text: string) => string);
  /** Soft hyphens in it are left out: they only mark where a line may break. */
  softHyphens?: true;
  /** So many characters at the end are left for the next token. */
  leaves?: number;
  /** So many characters at the end belong to this token and are read again for the next. */
  repeats?: number;
}

/** The sets that the patterns name. */
export const characterSets = { L: letters, Nd: digits, Lu: upperCase, Mark: marks };

const r = String.raw;
const anyOf = (...words: string[]) => `(${words.join('|')})`;
const listed = (words: string) => anyOf(...words.trim().split(/\s+/));

// White space and ends of lines.
const space = r`[ \t\u00a0\u2000-\u200a\u3000]`;
const newline = r`(\r|\r?\n|[\u2028\u2029\v\f\u0085])`;
const spaceOrLine = anyOf(space, newline);

// Apostrophes, also as they come from Windows-1252.
const apostrophe = r`(['\u0092\u2019]|&apos;)`;
const looseApostrophe = r`(${apostrophe}|[\u0060\u0091\u2018\u201b])`;

// Words.
const digit = r`[\p{Nd}\u07c0-\u07c9]`;
const letterEntity = '&[aeiouAEIOU](acute|grave|uml);';
const letter = r`([\p{L}\p{Mark}]|${letterEntity})`;
const letterOrDigit = anyOf(letter, digit);
const word = r`${letter}${letterOrDigit}*([.!?]${letter}${letterOrDigit}*)*`;
const plain = r`[\p{L}\p{Nd}]`;
const elision = r`[dDoOlL]${looseApostrophe}${plain}`;
const hyphenated = r`(${elision})?${plain}+([\-_\u058a\u2010\u2011](${elision})?${plain}+)*`;
const clitic = r`${apostrophe}([msdMSD]|re|ve|ll)`;
const negation = `n${looseApostrophe}t`;
const negatable = r`[A-Za-z\u00ad]*[A-MO-Za-mo-z]\u00ad*`;
const apostropheWord = anyOf(
  r`${apostrophe}n${apostrophe}?`,
  r`[lLdDjJ]${apostrophe}`,
  r`(Dunkin|somethin|ol)${apostrophe}`,
  r`${apostrophe}(em|cause|till?|[2-9]0s)`,
  r`[A-HJ-XZn]${looseApostrophe}\p{L}{2}\p{L}*`,
  r`\p{L}+[aeiouyAEIOUY]${looseApostrophe}[aeiouA-Z]\p{L}*`,
  r`cont'd\.?`,
  `O${looseApostrophe}o`,
  listed(`'twas nor'easter c'mon e'er s'mores ev'ry li'l nat'l`),
);

// Numbers.
const digitGroups = r`(${digit}+|${digit}*([.:,\u00ad\u066b\u066c]${digit}+)+)`;
const date = r`${digit}{1,2}[\-/]${digit}{1,2}[\-/]${digit}{2,4}`;
const fraction = r`(${digit}{1,4}[\- \u00a0])?${digit}{1,4}(\\?/|\u2044)${digit}{1,4}`;
const raisedOrLowered = r`[\u207a\u207b\u208a\u208b]?([\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+|[\u2080-\u2089]+)`;
const phone = anyOf(
  r`(\([0-9]{2,3}\)[ \u00a0]?|(\+\+?)?([0-9]{2,4}[\- \u00a0])?[0-9]{2,4}[\- \u00a0])[0-9]{3,4}[\- \u00a0]?[0-9]{3,5}`,
  r`((\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}`,
);

// Abbreviations.
const initials = r`[A-Za-z](\.[A-Za-z])`;
const countryPairs = r`(Canada|Sino|Korean|EU|Japan|non)-U\.S|U\.S\.-(U\.K|U\.S\.S\.R)`;
const acronym = anyOf(`${initials}*`, countryPairs);
const longAcronym = anyOf(`${initials}+`, countryPairs);
/** Mostly in front of lower-case words; before an upper-case one a sentence ends too. */
const midSentence = listed(`
  Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thurs Fri
  Ala Ariz [A]z [A]rk Calif Colo Conn Ct Dak [D]el Fla Ga [I]ll Ind Kans? Ky [L]a [M]ass Md Mich
  Minn [M]iss Mo Mont Neb Nev Okla [O]re [P]a Penn Tenn [T]ex Va Vt [W]ash Wisc? Wyo
  Inc Cos? Corp Pp?t[ye]s? Ltd Plc Rt Bancorp Bhd Assn Univ Intl Sys tel est ext sq
  Jr Sr Bros (Ed|Ph)\\.D Blvd Rd Esq etc al seq Bldg`);
/** Mostly in front of upper-case words; never taken for the end of a sentence. */
const beforeName = anyOf(
  listed(`
    Mr Mrs Ms [M]iss Drs? Profs? Sens? Reps? Attys? Lt Col Gen Messrs Govs? Adm Rev Maj Sgt Cpl Pvt
    Capt Ste? Ave Pres Lieut Hon Brig Co?mdr Pfc Spc Supts? Det Mt Ft Adj Adv Asst Assoc Ens Insp
    Mlle Mme Msgr Sfc vs Alex Wm Jos Cie a\\.k\\.a cf TREAS Ph Invt Elec Natl M[ft]g Dept`),
  acronym,
);
const beforeNumber = listed('ca figs? prop nos? art bldg pp op');
/** Words that start a sentence behind an acronym; the capital tells. */
const sentenceStart = listed(`
  [A]bout [A]ccording [A]dditionally [A]fter [A]n [A] [A]s [A]t [B]ut [E]arlier [H]e [H]er [H]ere
  [H]owever [I]f [I]n [I]t [L]ast [M]any [M]ore [M]r\\. [M]s\\. [N]ow [O]nce [O]ne [O]ther [O]ur [S]he
  [S]ince [S]o [S]ome [S]uch [T]hat [T]he [T]heir [T]hen [T]here [T]hese [T]hey [T]his [W]e [W]hen
  [W]hile [W]hat [Y]et [Y]ou`);

// Markup, addresses and names from the web.
const tagName = r`[A-Za-z][A-Za-z0-9_:.\-]*`;
const attribute = r`${tagName}( *= *('[^']*'|"[^"]*"))?`;
const tag = r`<([!?][A-Za-z\-][^>\r\n]*|${tagName}( +${attribute})* */?|/${tagName}) *>`;
const url = r`https?://[^ \t\n\f\r"<>|(){}]+[^ \t\n\f\r"<>|.!?(){},\-]`;
const likelyUrl = r`(www\.([^ \t\n\f\r"<>|.!?(){},]+\.)+[a-zA-Z]{2,4}|([^ \t\n\f\r"\u0060'<>|.!?(){},-_$]+\.)+(com|net|org|edu))(/[^ \t\n\f\r"<>|()]+[^ \t\n\f\r"<>|.!?(){},\-])?`;
const email = r`(&lt;|<)?[a-zA-Z0-9][^ \t\n\f\r"<>|()\u00a0{}]*@([^ \t\n\f\r"<>|(){}.\u00a0]+\.)*[^ \t\n\f\r"<>|(){}.\u00a0]+(&gt;|>)?`;
const twitter = r`(@[a-zA-Z_][a-zA-Z_0-9]*|#${letter}+)`;
const fileEnding = listed(`
  bat bmp c class cgi cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl png
  ppt ps py sql tar txt wav x xml zip`);
const fileName = r`${letterOrDigit}+(\.${letterOrDigit}+)*\.${fileEnding}`;

// Longer tokens with signs in them.
const amount = '[A-Za-z0-9]+(-[A-Za-z]+){0,2}';
const slashed = r`${amount}(\\?/${amount}){1,2}`;
const ampersanded = '[A-Z]+(([+&]|&amp;)[A-Z]+)+';
const hyphenThing = r`[A-Za-z0-9][A-Za-z0-9.,\u00ad]*(-([A-Za-z0-9\u00ad]+|${longAcronym}\.))+`;
const treebankWord = anyOf(
  '-(RRB|LRB|RCB|LCB|RSB|LSB)-',
  r`C\.D\.s`,
  'pro-',
  'anti-',
  'S(&|&amp;)P-500',
  'S(&|&amp;)Ls',
  `Cap${apostrophe}n`,
  `c${apostrophe}est`,
);
const smiley = r`[<>]?[:;=][\-o*']?[()DPdpO\\{@|[\]]`;
const asianSmiley = anyOf(
  // The reference's own pattern goes astray here: it takes all up to a '<'.
  r`[\^x=~<>]\.\[\^x=[^<]*<>\]`,
  r`[\-\^x=~<>']_[\-\^x=~<>']`,
  r`\([\-\^x=~<>'][_.]?[\-\^x=~<>']\)`,
  r`\([\^x=~<>']-[\^x=~<>'\u0060]\)`,
);

// Signs.
const clauseMark = r`[,;:\u3001]`;
const dash = r`(&(MD|mdash|ndash);|[\u0096\u0097\u2013\u2014\u2015])`;
const ellipsis = r`(\.{3,5}|(\.[ \u00a0]){2,4}\.|[\u0085\u2026])`;
const doubleQuote = '("|&quot;)';
const quotes = r`(${apostrophe}|''|[\u0060\u2018\u2019\u201a\u201b\u201c\u201d\u0091-\u0094\u201e\u201f\u2039\u203a\u00ab\u00bb]{1,2})`;
const currency = r`[\u00a2\u00a3\u00a4\u00a5\u0080\u20a0\u20ac\u060b\u0e3f\u20a4\uffe0\uffe1\uffe5\uffe6]`;
const symbol = r`[+%&~\^|\\\u00a6-\u00a9\u00ac\u00ae-\u00ba\u00d7\u00f7\u0387\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u0600-\u0603\u0606-\u060a\u060c\u0614\u061b\u061e\u066a\u066d\u0703-\u070d\u07f6-\u07f8\u0964\u0965\u0e4f\u1fbd\u2016\u2017\u2020-\u2023\u2030-\u2038\u203b\u203e-\u2042\u2044\u207a-\u207f\u208a-\u208e\u2100-\u214f\u2190-\u2bff\u3012\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]`;

const fractionSigns: Readonly<Record<string, string>> = {
  '\u00bc': '1/4',
  '\u00bd': '1/2',
  '\u00be': '3/4',
  '\u2153': '1/3',
  '\u2154': '2/3',
};
const currencyNames: Readonly<Record<string, string>> = {
  '\u00a2': 'cents',
  '\u00a3': '#',
  '\u0080': '$',
  '\u00a4': '$',
  '\u20a0': '$',
  '\u20ac': '$',
};

/** Spaces within a token become no-break spaces. */
const unbroken = (text: string) => text.replaceAll(' ', '\u00a0');
const bracketed = (text: string) => text.replaceAll('(', '-LRB-').replaceAll(')', '-RRB-');
const withAmpersand = (text: string) => text.replace(/&amp;/gi, '&');
function latexQuotes(text: string, opening: boolean): string {
  const mark = opening ? '`' : "'";
  return text
    .replace(/&apos;|'/g, mark)
    .replace(/"|&quot;/g, mark + mark)
    .replace(/[\u0091\u2018\u201b\u2039]/g, '`')
    .replace(/[\u0092\u2019\u203a]/g, "'")
    .replace(/[\u0093\u201c\u00ab]/g, '``')
    .replace(/[\u0094\u201d\u00bb]/g, "''");
}
const opened = (text: string) => latexQuotes(text, true);
const closed = (text: string) => latexQuotes(text, false);

/** What the line breaks of a text are written as: no token of a caption is. */
export const lineBreak = '\n';

/** Words that are two tokens each; of 'cannot' the last three letters are the second. */
const parted = 'gonna gotta lemme gimme wanna';

/**
 * Some words of plain letters, each with a space or the line's end behind it: a token each, just as they stand.
 * Words in two parts are left out. Of the rules below that read letters, none goes on behind a space or a line's
 * end, but for those that only look whether one is there. The number is bounded for the matcher's stack.
 */
export const plainWordRun = new RegExp(
  `(?: ?(?!(?:cannot|${parted.replaceAll(' ', '|')})[ \\n])[a-z]+(?=[ \\n])){1,64}`,
  'iy',
);

/** All rules, in their order of precedence. */
export const tokenRules: readonly TokenRule[] = [
  { pattern: r`c\+\+` },
  { pattern: '(c|f)#' },
  { pattern: 'cannot', leaves: 3 },
  { pattern: "'twas", leaves: 3 },
  { pattern: "'tis", leaves: 2 },
  { pattern: listed(parted), leaves: 2 },
  { pattern: tag, written: unbroken },
  { pattern: dash, written: '--' },
  { pattern: '&amp;', written: '&' },
  { pattern: '&(HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);' },
  { pattern: word, before: clitic, softHyphens: true },
  { pattern: negatable, before: negation, softHyphens: true },
  { pattern: word, softHyphens: true },
  { pattern: apostropheWord },
  { pattern: `y${apostrophe}`, before: r`\p{L}` },
  { pattern: url },
  { pattern: likelyUrl },
  { pattern: email },
  { pattern: twitter },
  { pattern: clitic, before: '[^A-Za-z]', written: closed },
  { pattern: negation, before: '[^A-Za-z]', written: closed },
  { pattern: date },
  { pattern: r`[\-+]?${digitGroups}`, softHyphens: true },
  { pattern: raisedOrLowered },
  { pattern: fraction, written: unbroken },
  { pattern: r`[\u00bc\u00bd\u00be\u2153-\u215e]`, written: (text) => fractionSigns[text] ?? text },
  { pattern: treebankWord, written: withAmpersand },
  { pattern: slashed },
  { pattern: r`([A-Z]*\$|#)` },
  { pattern: currency, written: (text) => currencyNames[text] ?? text },
  {
    pattern: r`[A-Za-z]\.`,
    before: `${spaceOrLine}+(${sentenceStart}|${tag})${spaceOrLine}`,
    leaves: 1,
  },
  {
    pattern: r`${acronym}\.`,
    before: `${spaceOrLine}+(${sentenceStart}|${tag})${spaceOrLine}`,
    repeats: 1,
  },
  { pattern: r`${beforeNumber}\.`, before: r`${spaceOrLine}?\p{Nd}` },
  { pattern: r`(pt[eyEY]|co)\.`, before: `${space}(ltd|lim)` },
  {
    pattern: r`${midSentence}\.`,
    before: r`${spaceOrLine}(${spaceOrLine}|\p{Lu}|${tag})`,
    repeats: 1,
  },
  { pattern: r`${midSentence}\.`, before: '..' },
  { pattern: r`${midSentence}\.`, repeats: 1 },
  { pattern: r`${beforeName}\.` },
  { pattern: beforeName, before: space },
  { pattern: acronym, before: spaceOrLine },
  { pattern: `${apostrophe}[0-9][0-9]`, before: spaceOrLine },
  { pattern: fileName, before: `(${spaceOrLine}|[.?!,])` },
  { pattern: r`${word}\.`, before: clauseMark, softHyphens: true },
  { pattern: phone, written: (text) => bracketed(unbroken(text)) },
  { pattern: doubleQuote, before: '[A-Za-z0-9$]', written: opened },
  { pattern: doubleQuote, written: closed },
  { pattern: r`\x7f`, written: '' },
  { pattern: '(<|&lt;)', written: '<' },
  { pattern: '(>|&gt;)', written: '>' },
  { pattern: smiley, before: '[^A-Za-z0-9]', written: bracketed },
  { pattern: asianSmiley, written: bracketed },
  { pattern: r`\{`, written: '-LCB-' },
  { pattern: r`\}`, written: '-RCB-' },
  { pattern: r`\[`, written: '-LSB-' },
  { pattern: r`\]`, written: '-RSB-' },
  { pattern: r`\(`, written: '-LRB-' },
  { pattern: r`\)`, written: '-RRB-' },
  { pattern: '-{3,4}', written: '--' },
  { pattern: '-+' },
  { pattern: ellipsis, written: '...' },
  { pattern: '(@+|#+|_+)' },
  { pattern: r`(\*+|(\\\*){1,3})` },
  { pattern: clauseMark },
  { pattern: '[?!]+' },
  { pattern: r`[.\u00a1\u00bf\u037e\u0589\u061f\u06d4\u0700-\u0702\u07fa\u3002]` },
  { pattern: '=' },
  { pattern: '/' },
  { pattern: r`${hyphenThing}\.`, before: clauseMark, softHyphens: true },
  { pattern: hyphenThing, softHyphens: true },
  { pattern: r`${hyphenated}\.`, before: clauseMark },
  { pattern: hyphenated },
  { pattern: r`${ampersanded}\.`, before: clauseMark, written: withAmpersand },
  { pattern: ampersanded, written: withAmpersand },
  { pattern: "'", before: r`[A-Za-z][^ \t\n\r\u00a0]`, written: opened },
  { pattern: clitic, written: closed },
  { pattern: negation, written: closed },
  { pattern: quotes, written: closed },
  { pattern: '(<<|>>)' },
  { pattern: symbol },
  { pattern: r`(\x00|${space}+|[\u200b\u200e\u200f\ufeff])`, written: '' },
  { pattern: newline, written: lineBreak },
  { pattern: '&nbsp;', written: '' },
  { pattern: '.', written: '' },
];
