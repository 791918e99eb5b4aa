/** Settings: every number is checked before any work. */
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/base/errors.ts';
import { parseTrainConfig, peakLearningRate } from '../../../src/train/config/config.ts';

/** Paths of all settings that are numbers by default, with those of the groups. */
function numericPaths(value: unknown, path: string[] = []): string[][] {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => numericPaths(inner, [...path, name]));
}

const whole = parseTrainConfig({ lora: {}, refinement: {}, alignment: {}, visionBlocks: 1 });
const optional = [
  'maxSteps',
  'microBatch',
  'captionsPerImage',
  'learningRate',
  'visionLearningRate',
]
  .concat(['warmupSteps', 'readLayer', 'validationImages', 'patience', 'refinement.heads'])
  .map((path) => path.split('.'));
const paths = [...numericPaths(whole), ...optional];

const withValue = (path: readonly string[], value: unknown): object => {
  const nested = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  return typeof nested === 'object' && nested !== null ? nested : {};
};

describe('settings that are numbers', () => {
  it.each(paths.map((path) => path.join('.')))(
    '%s is refused where it is none, or negative',
    (name) => {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, 'many', [1], true]) {
        const parse = () => parseTrainConfig(withValue(name.split('.'), value));
        expect(parse, String(value)).toThrow(UsageError);
        expect(parse, String(value)).toThrow(`${name}:`);
      }
    },
  );

  const counts =
    'epochs maxSteps batchSize microBatch captionsPerImage warmupSteps maxWords minWordCount layers width'
      .split(' ')
      .concat(
        'heads visionBlocks views readLayer validationImages validationBeams savedBeams samplePictures'.split(
          ' ',
        ),
      )
      .concat(
        'patience checkpointEvery keepCheckpoints maxSkippedSteps logEvery seed lora.rank scst.samples'.split(
          ' ',
        ),
      )
      .concat('refinement.layers refinement.heads alignment.feedForward'.split(' '));
  it.each(counts)('%s is a whole number', (name) => {
    expect(() => parseTrainConfig(withValue(name.split('.'), 1.5))).toThrow(`${name}:`);
  });

  it('are all there', () => {
    expect(paths.length).toBeGreaterThan(40);
  });
});

describe('the peak learning rate', () => {
  it('is the one given, or the usual one of the beginning', () => {
    expect(peakLearningRate(parseTrainConfig({ learningRate: 0.3 }), true)).toBe(0.3);
    expect(peakLearningRate(parseTrainConfig({}), true)).toBe(1e-3);
    expect(peakLearningRate(parseTrainConfig({}), false)).toBe(2e-5);
    expect(peakLearningRate(parseTrainConfig({ stage: 'scst' }), false)).toBe(5e-5);
  });
});
