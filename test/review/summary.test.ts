/** What reviewing bought, against values worked out by hand and by the metrics' own. */
import { expect, it } from 'vitest';
import { scoreCorpus } from '../../src/metrics/corpus/score.ts';
import type { ReviewDecision, Verdict } from '../../src/review/decisions/decision.ts';
import { summarizeReview, summaryLines } from '../../src/review/summary.ts';

const said = (verdict: Verdict, draft: string, text: string, seconds: number): ReviewDecision => ({
  ...{ file: draft, verdict, draft, text, seconds, by: 'anna', when: '' },
});
const decisions = [
  said('accepted', 'a dog runs', 'a dog runs', 2),
  said('edited', 'a cat sits', 'two cats sit', 10),
  said('chosen', 'a bird', 'a bird flies', 4),
  said('wrong', 'a man', '', 3),
  said('skipped', 'a car', '', 60),
];

it('is counted over what was decided', async () => {
  const summary = await summarizeReview(decisions, 100);
  const { scores } = await scoreCorpus(
    ['a dog runs', 'a cat sits', 'a bird'],
    [['a dog runs'], ['two cats sit'], ['a bird flies']],
    { metrics: 'CIDEr' },
  );
  expect(summary).toEqual({
    drafts: 100,
    counts: { accepted: 1, chosen: 1, edited: 1, wrong: 1, skipped: 1 },
    acceptedShare: 1 / 4,
    wordsChanged: (0 + 3 + 1) / 3,
    cider: scores.CIDEr,
    medianSeconds: 3.5,
    totalSeconds: 79,
  });
  expect(summaryLines(summary).join('\n')).toContain(
    'accepted as they were: 25 % of the decided\nwords changed a caption: 1.33',
  );
});

it('says of nothing that it is nothing', async () => {
  const summary = await summarizeReview([], 3);
  expect(summaryLines(summary)).toEqual(['nothing decided, of 3 drafts']);
});
