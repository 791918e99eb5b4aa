/** Places in the tree of parameter names. */
import { describe, expect, it } from 'vitest';
import { GraphError, input } from '../../src/engine/graph/graph.ts';
import { linear } from '../../src/nn/layers.ts';
import { normal, Scope, zeros } from '../../src/nn/scope.ts';

describe('a scope', () => {
  it('names parameters by their place and declares each once', () => {
    const scope = new Scope();
    const place = scope.at('layer').at(0);
    const value = place.get('weight', [2, 3], normal());
    expect(scope.at('layer').at(0).get('weight', [2, 3], zeros)).toBe(value);
    scope.get('bias', [3], zeros);
    expect(scope.parameters.map(({ name }) => name)).toEqual(['layer.0.weight', 'bias']);
    expect(() => place.get('weight', [3, 2], zeros)).toThrow(GraphError);
    expect(() => place.get('weight', [3, 2], zeros)).toThrow(
      'layer.0.weight is [2,3] and cannot be [3,2]',
    );
  });

  it('gives adapters to the layers that are chosen, wherever they stand', () => {
    const adapts = (layer: string) => layer.endsWith('query');
    const scope = new Scope({ rank: 2, scale: 1, adapts });
    const x = input('x', 'f32', ['n', 4]);
    linear(scope.at('a').at('query'), x, 6);
    linear(scope.at('a').at('key'), x, 6);
    expect(scope.parameters.map(({ name, shape }) => `${name} ${shape}`)).toEqual([
      'a.query.weight 6,4',
      'a.query.bias 6',
      'a.query.lora_A 2,4',
      'a.query.lora_B 6,2',
      'a.key.weight 6,4',
      'a.key.bias 6',
    ]);
  });
});
