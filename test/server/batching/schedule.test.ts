/** The scheduler: what holds for every course of arrivals. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchRules, decide, type Waiting } from '../../../src/server/batching/schedule.ts';

interface Arrival extends Waiting {
  readonly id: number;
}

interface Started {
  readonly at: number;
  readonly batch: readonly Arrival[];
}

/** Runs one worker over the arrivals, which are in the order of their times, in time that is only counted. */
function simulate(arrivals: readonly Arrival[], rules: BatchRules, work: number): Started[] {
  const started: Started[] = [];
  const coming = [...arrivals];
  let waiting: Arrival[] = [];
  let now = 0;
  for (;;) {
    while (coming.length > 0 && coming[0].since <= now) waiting.push(...coming.splice(0, 1));
    const next = decide(waiting, now, coming.length > 0, rules);
    if (next.kind === 'run') {
      started.push({ at: now, batch: next.batch });
      waiting = waiting.filter((one) => !next.batch.includes(one));
      now += work;
    } else {
      const arrival = coming.at(0)?.since ?? Number.POSITIVE_INFINITY;
      const at = Math.min(arrival, next.kind === 'wait' ? now + next.ms : arrival);
      if (!Number.isFinite(at)) return started;
      now = at;
    }
  }
}

const course = fc.record({
  arrivals: fc
    .array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), gap: fc.nat(40) }), { maxLength: 40 })
    .map((steps) => {
      let since = 0;
      return steps.map(({ key, gap }, id): Arrival => {
        since += gap;
        return { id, key, since };
      });
    }),
  rules: fc.record({ maxBatch: fc.integer({ min: 1, max: 8 }), maxDelay: fc.nat(50) }),
  work: fc.integer({ min: 1, max: 100 }),
});

describe('decide', () => {
  it('runs each once, in batches of one key that are not too large, in the order of arrival', () => {
    fc.assert(
      fc.property(course, ({ arrivals, rules, work }) => {
        const started = simulate(arrivals, rules, work);
        for (const { batch } of started) {
          expect(batch.length).toBeLessThanOrEqual(rules.maxBatch);
          expect(new Set(batch.map(({ key }) => key)).size).toBe(1);
        }
        for (const key of ['a', 'b', 'c']) {
          const ids = started.flatMap(({ batch }) => batch).filter((one) => one.key === key);
          expect(ids).toEqual(arrivals.filter((one) => one.key === key));
        }
      }),
    );
  });

  it('lets no kind starve: a batch starts only when no ripe one had an earlier first', () => {
    fc.assert(
      fc.property(course, ({ arrivals, rules, work }) => {
        const started = simulate(arrivals, rules, work);
        for (const [i, { at, batch }] of started.entries()) {
          const others = started.slice(i + 1).flatMap((later) => later.batch);
          for (const { since } of others)
            if (since + rules.maxDelay <= at) expect(batch[0].since).toBeLessThanOrEqual(since);
        }
      }),
    );
  });

  it('keeps a free worker waiting for no longer than the delay, and only for more to come', () => {
    fc.assert(
      fc.property(course, ({ arrivals, rules, work }) => {
        let free = 0;
        for (const { at, batch } of simulate(arrivals, rules, work)) {
          expect(at).toBeLessThanOrEqual(Math.max(free, batch[0].since + rules.maxDelay));
          free = at + work;
        }
      }),
    );
  });

  it('does not wait when nothing else is on its way', () => {
    const one = { key: 'a', since: 5 };
    const rules = { maxBatch: 8, maxDelay: 10 };
    expect(decide([one], 5, false, rules)).toEqual({ kind: 'run', batch: [one] });
    expect(decide([one], 5, true, rules)).toEqual({ kind: 'wait', ms: 10 });
    expect(decide([], 5, true, rules)).toEqual({ kind: 'idle' });
  });
});
