/** What keeps the layers that score concepts right while the tower under them is trained. */
import { input, type Value } from '../../engine/graph/graph.ts';
import * as ops from '../../engine/graph/ops.ts';
import { classLogits, conceptScope, wordsFrom } from '../../model/concepts/concepts.ts';
import type { ConceptConfig } from '../../model/concepts/config.ts';
import type { Scope } from '../../nn/scope.ts';

const { add, mul, neg, reduceSum } = ops;

/**
 * Summed over images: the cross-entropy of the classes against what the tower's classifier said before
 * (distillation, Hinton et al. 2015), and of each predicted word's presence in the captions. Inputs:
 * `classTargets` f32 [images, classes], probabilities; `wordTargets` f32 [images, words], 0 or 1.
 * @param tokens [images, s, width], of the tower as it is now
 */
export function scorerLoss(scope: Scope, config: ConceptConfig, tokens: Value): Value {
  const { class_groups: groups, words } = config;
  const pooled = ops.reduceMean(tokens, [1]);
  const logits = groups.length > 0 ? classLogits(scope, config, pooled) : undefined;
  const terms: Value[] = [];
  if (logits) {
    const targets = input('classTargets', 'f32', ['images', groups.length]);
    terms.push(neg(reduceSum(mul(targets, ops.logSoftmax(logits, 1)))));
  }
  if (words.length > 0) {
    const targets = input('wordTargets', 'f32', ['images', words.length]);
    const at = scope.at(conceptScope).at('words');
    // What the words learn of the classes must not move these from what they said.
    const classes = logits && ops.stopGradient(ops.softmax(logits, 1));
    const odds = wordsFrom(at, words.length, pooled, classes);
    terms.push(reduceSum(ops.sub(ops.softplus(odds), mul(odds, targets))));
  }
  return terms.reduce((sum, term) => add(sum, term));
}
