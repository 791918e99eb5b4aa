/** `confidence_config` of config.json. */
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { parseConfidence } from '../../src/confidence/config.ts';

const config = { weights: { noun: 0.5, caption: 2 }, shift: -1 };

describe('parseConfidence', () => {
  it('reads it, and knows a model that has none', () => {
    expect(parseConfidence({ model_type: 'blip', confidence_config: config }, 'c')).toEqual(config);
    expect(parseConfidence({ model_type: 'blip' }, 'c')).toBeUndefined();
    expect(parseConfidence({ confidence_config: null }, 'c')).toBeUndefined();
  });

  it.each([
    [{ ...config, shift: 'high' }, 'confidence_config.shift'],
    [{ ...config, weights: { noun: -1, caption: 2 } }, 'confidence_config.weights.noun'],
    [{ ...config, weights: { noun: 1, caption: 2, concept: 3 } }, 'confidence_config.weights'],
    [7, 'confidence_config'],
  ])('names what is wrong: %j', (given, field) => {
    const parse = () => parseConfidence({ confidence_config: given }, 'm/config.json');
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(`m/config.json: ${field}: `);
  });
});
