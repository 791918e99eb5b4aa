/** The main noun of captions, as a person would pick it. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { mainNoun } from '../../src/confidence/main-noun.ts';
import { loadMeteorData } from '../../src/data/text/meteor-data.ts';

const wordNet = loadMeteorData();

function nounOf(caption: string): string | undefined {
  const words = caption.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
  const at = mainNoun(words, wordNet);
  return at === undefined ? undefined : words[at];
}

/** Captions with their noun in capitals. */
const captions = [
  'two black DOGS are running on the grass',
  'a white DOG is running with a toy in its mouth',
  'a MAN in a yellow shirt is holding a baby in its mouth',
  'a group of PEOPLE standing around a table',
  'a close up of a CAT looking at the camera',
  'a close - up of a plate of FOOD'.replace('plate of FOOD', 'PLATE of food'),
  'a black and white photo of a TRAIN',
  'a black and white CAT sitting on a bed',
  'a brown and white COW standing in a field',
  'there is a BIRD on the branch',
  'this is a KITCHEN with a stove',
  'a stuffed BEAR sitting on a chair',
  'a fire HYDRANT on the side of the road',
  'a parking METER next to a car',
  'a baseball PLAYER swinging a bat at a ball',
  "a man 's HAT lies on the floor",
  'a DOG jumps over a log',
  'a BOY hits the ball with his knee',
  'the truck DRIVER pauses for a photo',
  'two DOGS play with a ball',
  'three police OFFICERS on horses',
  'PEOPLE walk down the street',
  'a tall BUILDING with a clock on it',
  'a living ROOM filled with furniture',
  'a wooden cutting BOARD with vegetables',
  'a WOMAN painting her face',
  'a PAINTING of a woman',
  'a BUS parked on the side of the street',
  'a tennis COURT with two players',
  'a red and white stop SIGN',
  'a couple of ELEPHANTS walking through the grass',
  'a COUPLE walking in the snow',
  'a bunch of BANANAS hanging from a tree',
  'a herd of SHEEP grazing on a hill',
  'a person riding a wave on a surfboard'.replace('person', 'PERSON'),
  'a hot DOG on a bun',
  'sitting on a BENCH in the park',
  'a pair of SCISSORS on a table',
  'an orange and white CAT',
  'a male SKATEBOARDER doing a trick',
  'a TABLE topped with plates of food',
  'a snow covered MOUNTAIN',
];

describe('mainNoun', () => {
  it.each(captions)('%s', (caption) => {
    const [wanted] = caption.match(/\p{Lu}{2,}/u) ?? [];
    expect(nounOf(caption.toLowerCase())).toBe(wanted?.toLowerCase());
  });

  it('is none where there is none', () => {
    expect(nounOf('')).toBeUndefined();
    expect(nounOf('is in the of')).toBeUndefined();
  });

  it('is the measure where nothing else is named', () => {
    expect(nounOf('a group of')).toBe('group');
  });

  it('ends with a place among the words, whatever they are', () => {
    const random = createRandom(4);
    const words =
      'a the dog dogs running run close up of and , - black painting parked is 7 s in'.split(' ');
    for (let round = 0; round < 2000; round++) {
      const caption = Array.from(
        { length: random.integer(9) },
        () => words[random.integer(words.length)],
      );
      const at = mainNoun(caption, wordNet);
      if (at !== undefined) expect(caption[at]).toMatch(/\p{L}/u);
    }
  });
});
