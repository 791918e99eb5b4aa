/** Several reviewers: what they agree on counts, what they do not is listed, drafts that changed since are told. */
import { describe, expect, it } from 'vitest';
import { currentDecisions } from '../../../src/review/decisions/current.ts';
import type { ReviewDecision, Verdict } from '../../../src/review/decisions/decision.ts';
import { mergeDecisions } from '../../../src/review/decisions/merge.ts';

const said = (by: string, file: string, verdict: Verdict, text = 'a dog'): ReviewDecision => ({
  ...{ file, verdict, draft: 'a dog', by },
  text: verdict === 'wrong' || verdict === 'skipped' ? '' : text,
  ...{ when: '2026-01-02T03:04:05Z', seconds: 1 },
});

describe('mergeDecisions', () => {
  const anna = [
    said('anna', 'a', 'accepted'),
    said('anna', 'b', 'edited', 'a cat'),
    said('anna', 'c', 'accepted'),
    said('anna', 'd', 'skipped'),
    said('anna', 'e', 'wrong'),
  ];
  const bob = [
    said('bob', 'a', 'accepted'),
    said('bob', 'b', 'edited', 'two cats'),
    said('bob', 'c', 'wrong'),
    said('bob', 'd', 'accepted'),
    said('bob', 'e', 'wrong'),
    said('bob', 'f', 'chosen', 'a bird'),
  ];

  it('takes what all say, and guesses nothing', () => {
    const { decided, conflicts } = mergeDecisions([anna, bob]);
    expect([...decided.keys()].sort()).toEqual(['a', 'd', 'e', 'f']);
    expect(decided.get('d')?.by).toBe('bob');
    expect(conflicts.map(({ file, decisions }) => [file, decisions.length])).toEqual([
      ['b', 2],
      ['c', 2],
    ]);
  });

  it('gives one the last word, where that one said something', () => {
    const { decided, conflicts } = mergeDecisions([anna, bob], 'anna');
    expect(conflicts).toEqual([]);
    expect(decided.get('b')?.text).toBe('a cat');
    expect(decided.get('d')?.by).toBe('bob');
    expect(() => mergeDecisions([anna, bob], 'carl')).toThrow(/no such reviewer.*anna, bob/);
  });
});

describe('currentDecisions', () => {
  const draft = (file: string, ...texts: string[]) => ({
    file,
    candidates: texts.map((text) => ({ text })),
  });

  it('leaves out what was said of other drafts', () => {
    const drafts = [draft('a', 'a dog'), draft('b', 'a new dog')];
    const found = currentDecisions(drafts, [
      [
        said('anna', 'a', 'accepted'),
        said('anna', 'b', 'edited', 'x'),
        said('anna', 'c', 'accepted'),
      ],
    ]);
    expect(found.reviews[0].map(({ file }) => file)).toEqual(['a']);
    expect(found.stale).toEqual(['b', 'c']);
  });

  it('knows the draft behind an accepted text that took its place, for all reviewers', () => {
    const drafts = [draft('a', 'a cat')];
    const anna = { ...said('anna', 'a', 'edited', 'a cat'), others: ['a puppy'] };
    const found = currentDecisions(drafts, [[anna], [said('bob', 'a', 'accepted')]]);
    expect(found.drafts).toEqual([draft('a', 'a dog', 'a puppy')]);
    expect(found.stale).toEqual([]);
    expect(mergeDecisions(found.reviews).conflicts).toHaveLength(1);
  });
});
