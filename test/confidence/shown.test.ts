/** Confidence as it is shown. */
import { expect, it } from 'vitest';
import { confidenceMeaning, confidenceOf, formatConfidence } from '../../src/confidence/shown.ts';

it('is the calibrated one, else the probability a token', () => {
  expect(confidenceOf({ meanLogprob: -1, confidence: 0.25 })).toBe(0.25);
  expect(confidenceOf({ meanLogprob: -1, confidence: 0 })).toBe(0);
  expect(confidenceOf({ meanLogprob: Math.log(0.5) })).toBeCloseTo(0.5, 12);
});

it('is a percentage, with what it means', () => {
  expect(formatConfidence(0.634)).toBe('63 %');
  expect(confidenceMeaning(true)).not.toBe(confidenceMeaning(false));
});
