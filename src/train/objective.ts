/** What training minimises, as a graph: from pixels (or cached image tokens) and captions to a loss and its gradients. */

import type { BlipConfig } from '../blip/config.ts';
import {
  crossKeyValues,
  imageTokenCount,
  languageHead,
  textDecoder,
  visionTower,
} from '../blip/model.ts';
import { gradients } from '../engine/gradient.ts';
import { input, type Value } from '../engine/graph.ts';
import * as ops from '../engine/ops.ts';
import { multiplyDims } from '../engine/shape.ts';
import { noDropout, seededDropout } from '../nn/dropout.ts';
import { crossEntropy } from '../nn/losses.ts';
import type { Scope } from '../nn/scope.ts';

/** The label of a position that does not count. */
export const ignoredLabel = -100;

export interface ObjectiveOptions {
  /** Where the images enter: as pixels, or as the tokens that a frozen tower gave (f16). */
  readonly images: 'pixels' | 'tokens';
  readonly labelSmoothing: number;
  /** Whether dropout is drawn (the config's rates), from the input `dropoutSeed`. */
  readonly dropout: boolean;
}

/**
 * The loss of a batch. Inputs: `pixels` [images, 3, size, size] or `tokens` [images, tokens, width];
 * `ids` and `labels` i32 [images, captions, length], labels already shifted: labels[t] is the word
 * after ids[t], or `ignoredLabel`. Outputs: `loss` (mean over the words that count, with label
 * smoothing), their `sum` and `count`: micro-batches add up sums and divide by all counts at the end.
 */
export function lossGraph(
  scope: Scope,
  config: BlipConfig,
  options: ObjectiveOptions,
): { loss: Value; sum: Value; count: Value } {
  const { vision_config: vision, text_config: text } = config;
  const dropout = options.dropout ? seededDropout(input('dropoutSeed', 'i32', [])) : noDropout;
  const ids = input('ids', 'i32', ['images', 'captions', 'length']);
  const labels = input('labels', 'i32', ['images', 'captions', 'length']);
  const imageTokens =
    options.images === 'pixels'
      ? visionTower(
          scope,
          vision,
          input('pixels', 'f32', ['images', 3, vision.image_size, vision.image_size]),
          dropout,
        )
      : ops.cast(
          input('tokens', 'f16', ['images', imageTokenCount(vision), vision.hidden_size]),
          'f32',
        );
  const cross = crossKeyValues(scope, text, imageTokens);
  const { states } = textDecoder(scope, text, { ids, cross, dropout });
  const positions = multiplyDims(multiplyDims('images', 'captions'), 'length');
  const last = ops.reshape(states[states.length - 1], [positions, text.hidden_size]);
  const logits = languageHead(scope, text, last);
  const { mean, sum, count } = crossEntropy(logits, ops.reshape(labels, [positions]), {
    ignoreIndex: ignoredLabel,
    labelSmoothing: options.labelSmoothing,
  });
  return { loss: mean, sum, count };
}

/** The prefix of the outputs that hold gradients: `gradient.NAME` of the parameter NAME. */
export const gradientPrefix = 'gradient.';

/**
 * Adds the gradients of `loss` with respect to the named parameters of the scope.
 * @param accumulate adds inputs `accumulated.NAME` to them, which may be the very memory written to
 */
export function withGradients(
  scope: Scope,
  outputs: Readonly<Record<string, Value>> & { readonly loss: Value },
  trainable: ReadonlySet<string>,
  accumulate = false,
): Record<string, Value> {
  const parameters = scope.parameters.filter(({ name }) => trainable.has(name));
  const found = gradients(
    outputs.loss,
    parameters.map(({ value }) => value),
  );
  const named = parameters.map(({ name, shape }, i) => {
    const gradient = accumulate
      ? ops.add(input(`accumulated.${name}`, 'f32', shape), found[i])
      : found[i];
    return [`${gradientPrefix}${name}`, gradient] as const;
  });
  return { ...outputs, ...Object.fromEntries(named) };
}
