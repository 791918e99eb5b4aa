/** Words for people that leave open who they are: what a model tells of sex from a picture is a guess. */

const words: Readonly<Record<string, string>> = {
  ...each('man woman boy girl guy lady gentleman male female', 'person'),
  ...each('men women boys girls guys ladies gentlemen males females', 'people'),
  ...each("man's woman's boy's girl's", "person's"),
  ...each("men's women's boys' girls'", "people's"),
  ...each('policeman policewoman', 'police officer'),
  ...each('policemen policewomen', 'police officers'),
  ...each('fireman', 'firefighter'),
  ...each('firemen', 'firefighters'),
  ...each('himself herself', 'themself'),
  ...each('his', 'their'),
  ...each('him', 'them'),
};

function each(list: string, word: string): Record<string, string> {
  return Object.fromEntries(list.split(' ').map((one) => [one, word]));
}

/** Where a word for a child says more than its sex. */
const children: readonly (readonly [RegExp, string])[] = [
  [/\bbaby (?:boy|girl)\b/gi, 'baby'],
  [/\bbaby (?:boys|girls)\b/gi, 'babies'],
  [/\b(little|young|small) (?:boy|girl)\b/gi, '$1 child'],
  [/\b(little|young|small) (?:boys|girls)\b/gi, '$1 children'],
];

/** The verbs that stand behind "they". */
const verbs: Readonly<Record<string, string>> = { is: 'are', was: 'were', has: 'have' };

/**
 * "a person" for "a man", "two people" for "two women", "their" for "his". Words of which these are a part, such as
 * snowman, stay.
 */
export function neutralPeople(text: string): string {
  const withChildren = children.reduce((all, [from, to]) => all.replace(from, to), text);
  return withChildren
    .replace(
      /\b(?:s?he) (is|was|has)\b/gi,
      (_, verb: string) => `they ${verbs[verb.toLowerCase()]}`,
    )
    .replace(/\bs?he\b/gi, 'they')
    .replace(/\bher(?= (?:\p{L}+))(?! (?:in|on|at|with|and|as|to|by|from|while|for)\b)/giu, 'their')
    .replace(/\bher\b/gi, 'them')
    .replace(/(?<![\p{L}-])\p{L}+(?:'s|s')?(?![\p{L}-])/gu, (word) => neutral(word))
    .replace(/\ba person and a person\b/gi, 'two people');
}

function neutral(word: string): string {
  const found = Object.hasOwn(words, word.toLowerCase()) ? words[word.toLowerCase()] : word;
  const isCapital = /^\p{Lu}/u.test(word) && found !== word;
  return isCapital ? found[0].toUpperCase() + found.slice(1) : found;
}
