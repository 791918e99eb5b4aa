/** Nouns found again in references. */
import { describe, expect, it } from 'vitest';
import { NounMatcher } from '../../src/confidence/stands.ts';
import { loadMeteorData } from '../../src/data/text/meteor-data.ts';

const matcher = new NounMatcher(loadMeteorData());

describe('stands', () => {
  it.each([
    ['dog', 'Two dogs, running.'],
    ['dogs', 'A dog runs'],
    ['man', 'Three MEN at work'],
    ['children', "a child's toy"],
    ['frisbees', 'a frisbee'],
    ['couch', 'a cat on a sofa'],
    ['bicycle', 'a man on his bike'],
    ['buses', 'the bus-stop'],
    ['snowboarder', 'a snowboarder jumps'],
  ])('%s in "%s"', (noun, reference) => {
    expect(matcher.stands(noun, ['something else', reference])).toBe(true);
  });

  it.each([
    ['person', 'a man with a hat'],
    ['man', 'a person with a hat'],
    ['dog', 'a cat sleeps'],
    ['car', 'a carpet'],
    ['run', ''],
  ])('%s not in "%s"', (noun, reference) => {
    expect(matcher.stands(noun, [reference])).toBe(false);
  });

  it('needs a reference', () => {
    expect(matcher.stands('dog', [])).toBe(false);
  });
});
