/** Names of tensors as training code leaves them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainNames } from '../../../src/model/checkpoint/names.ts';

const plain = [
  'vision_model.encoder.layers.0.mlp.fc1.weight',
  'text_decoder.bert.encoder.layer.11.output.dense.bias',
  'text_decoder.cls.predictions.bias',
];

describe('plainNames', () => {
  it('takes off wrappers and the name of the model, in any nesting', () => {
    const wrapper = fc.constantFrom(
      'module.',
      '_orig_mod.',
      'model.',
      'net.',
      '_fsdp_wrapped_module.',
    );
    fc.assert(
      fc.property(fc.array(wrapper, { maxLength: 4 }), (wrappers) => {
        const prefix = wrappers.join('');
        expect(plainNames(plain.map((name) => prefix + name))).toEqual(plain);
      }),
    );
  });

  it('takes off wrappers of parts', () => {
    expect(
      plainNames([
        'vision_model._orig_mod.encoder.layers.0._checkpoint_wrapped_module.mlp.fc1.weight',
        'visual_encoder.module.cls_token',
      ]),
    ).toEqual(['vision_model.encoder.layers.0.mlp.fc1.weight', 'visual_encoder.cls_token']);
  });

  it('leaves what stands beside the model, and other models, as they are', () => {
    expect(plainNames(['model.text_decoder.x', 'criterion.weight'])).toEqual([
      'text_decoder.x',
      'criterion.weight',
    ]);
    expect(plainNames(['text_decoder.x', 'ema.text_decoder.x'])).toEqual([
      'text_decoder.x',
      'ema.text_decoder.x',
    ]);
    expect(plainNames(['encoder.x', 'decoder.y'])).toEqual(['encoder.x', 'decoder.y']);
  });
});
