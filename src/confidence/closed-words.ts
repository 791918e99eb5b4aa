/** Classes of English words that are few: by them noun phrases are told apart. */

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

/** What one thing may begin with. */
export const articles = words('a an the this that one another each every');

/** What several things may begin with, and what says nothing of their number. */
export const plurals = words(
  'these those some many several few most both all other two three four five six seven eight nine ten eleven twelve dozen ' +
    'dozens numerous multiple various different lots his her its their my your our whose no any more',
);

/** Words that stand in no noun phrase, but for its ends: prepositions, conjunctions, auxiliaries, pronouns, adverbs. */
export const stops = words(
  'of in on at by for from with without to into onto upon over under above below beneath underneath behind beside besides ' +
    'between among amongst near next along alongside across through throughout around about against after before during ' +
    'inside outside indoors outdoors within off out up down away toward towards past beyond as like than via per while ' +
    'and or but nor so yet because if when where that which who whom what how why ' +
    'is are was were be been being am has have had having do does did can could will would may might shall should must ' +
    'there here he she it they him them himself herself itself themselves i you we us someone something ' +
    'not very just also together apart too only still almost nearly really quite ready',
);

/** Nouns that say how much or what of, when "of" follows them. */
export const measures = words(
  'group groups bunch couple pair pairs lot lots number row rows line lines set series crowd herd flock pack team bundle ' +
    'pile piles stack collection variety assortment array kind kinds sort type types piece pieces slice slices bit part ' +
    'parts section half rest top side sides front back end edge corner middle center inside view picture pictures photo ' +
    'photos photograph image images shot scene portrait closeup background display',
);

/** Names of things that end as participles do. */
export const namesInIng = words(
  'building buildings ceiling painting clothing wedding railing awning wing ring king string thing morning evening spring ' +
    'swing sling pudding icing frosting crossing landing drawing carving covering flooring lighting siding housing opening ' +
    'clearing duckling dumpling darling sibling earring herring bowling',
);

/** Words in -ed that are no participles. */
export const notParticiples = words(
  'bed shed sled seed weed reed speed steed breed moped bobsled seabed flatbed',
);

/** Participles that have no -ed. */
export const irregularParticiples = words(
  'made taken shown seen hung stuck held worn left built lit laid thrown caught drawn written eaten cut put parked stood ' +
    'sat lain torn broken bent spread driven ridden kept filled',
);

/** Words for several that do not end in s. */
export const pluralWords = words(
  'people men women children police cattle geese mice feet teeth oxen',
);
