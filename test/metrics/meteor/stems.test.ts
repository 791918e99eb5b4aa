/** The two English stemmers against METEOR's and NLTK's own, and NLTK's METEOR. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadMeteorData } from '../../../src/data/text/meteor-data.ts';
import { createNltkMeteor } from '../../../src/metrics/meteor/nltk.ts';
import { englishStem } from '../../../src/metrics/words/stem-english.ts';
import { porterStem } from '../../../src/metrics/words/stem-porter.ts';
import { fixtures, shared } from '../../paths.ts';

const folder = join(fixtures, 'metrics');
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

describe('stems', () => {
  const items: Record<string, [string, string]> = read(join(folder, 'stems.json')).items;

  it('are those of Snowball English in METEOR', () => {
    const wrong = Object.entries(items).filter(
      ([word, [english]]) => englishStem(word) !== english,
    );
    expect(Object.keys(items).length).toBeGreaterThan(9000);
    expect(wrong).toEqual([]);
  });

  it("are those of NLTK's Porter stemmer", () => {
    const wrong = Object.entries(items).filter(([word, [, porter]]) => porterStem(word) !== porter);
    expect(wrong).toEqual([]);
  });

  // From the programs themselves.
  it.each([
    ['generously', 'generous', 'gener'],
    ["dogs'", 'dog', "dogs'"],
    ['skies', 'sky', 'sky'],
    ['theology', 'theolog', 'theolog'],
    ['us', 'us', 'us'],
    ['\ud83d\ude00ies', '\ud83d\ude00i', '\ud83d\ude00ie'],
  ])('%s', (word, english, porter) => {
    expect(englishStem(word)).toBe(english);
    expect(porterStem(word)).toBe(porter);
  });
});

describe("NLTK's METEOR", () => {
  const nltk = createNltkMeteor(loadMeteorData());
  const split = (text: string) => text.split(/\s+/).filter((word) => word !== '');
  const files = ['coco_fakecap1000', 'edge_dev'].map((name) => join(folder, `${name}.json`));
  const larger = shared && join(shared, 'fixtures/metrics/flickr8k_dev1000.json');
  if (larger && existsSync(larger)) files.push(larger);

  it.each(files)('equals the values of %s', (file) => {
    const wrong: unknown[] = [];
    for (const { id, candidate, references, ptb, nltk_meteor } of read(file).items) {
      const tokens = split(ptb.candidate);
      const each: number[] = ptb.references.map((text: string) =>
        nltk.score(tokens, [split(text)]),
      );
      const got: Record<string, number> = {
        ptb_tokens: nltk.score(tokens, ptb.references.map(split)),
        lower_whitespace: nltk.score(split(candidate), references.map(split)),
        ptb_tokens_mean_over_refs: each.reduce((a, b) => a + b, 0) / each.length,
      };
      for (const [key, value] of Object.entries(got))
        if (!(Math.abs(nltk_meteor[key] - value) < 1e-9)) wrong.push({ id, key, value });
    }
    expect(wrong).toEqual([]);
  });

  it('looks up the last line of a form that WordNet lists twice', () => {
    // adj.exc has "offer off" and then "offer offer".
    expect(nltk.score(['offer'], [['off']])).toBe(0);
  });
});
