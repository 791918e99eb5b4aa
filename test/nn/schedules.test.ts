/** Schedules of the learning rate, as properties. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSchedule } from '../../src/nn/schedules.ts';

describe('schedules', () => {
  it('climb to the peak in the warm-up and fall to the floor', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('constant' as const, 'linear' as const, 'cosine' as const),
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (name, warmupSteps, rest, floor) => {
          const schedule = createSchedule({
            name,
            warmupSteps,
            totalSteps: warmupSteps + rest,
            floor,
          });
          const factors = Array.from({ length: warmupSteps + rest + 1 }, (_, step) =>
            schedule(step),
          );
          expect(schedule(warmupSteps)).toBeCloseTo(1, 12);
          expect(schedule(warmupSteps + rest)).toBeCloseTo(name === 'constant' ? 1 : floor, 12);
          for (let i = 1; i < factors.length; i++)
            if (i < warmupSteps) expect(factors[i]).toBeGreaterThan(factors[i - 1]);
            else if (i > warmupSteps)
              expect(factors[i]).toBeLessThanOrEqual(factors[i - 1] + 1e-12);
        },
      ),
    );
  });

  it('can change by epoch instead of by step', () => {
    const schedule = createSchedule({ name: 'linear', warmupSteps: 0, totalSteps: 100, every: 10 });
    expect(schedule(19)).toBe(schedule(10));
    expect(schedule(20)).toBeLessThan(schedule(19));
  });
});
