/** The outputs and gradients that PyTorch gave for the cases (scripts/make-op-references.py). */
import { readFileSync } from 'node:fs';
import type { DType } from '../../src/engine/graph/dtype.ts';
import { fixtures } from '../paths.ts';
import type { Dense } from './dense.ts';

type Spelled = number | string | boolean;

interface Listed {
  readonly shape: readonly number[];
  readonly data: readonly Spelled[];
}

export interface Reference {
  readonly attributes: unknown;
  readonly inputs: readonly (Listed & { readonly dtype: DType })[];
  readonly outputs: readonly Listed[];
  /** One for each float input; null where no gradient flows. */
  readonly gradients: readonly Listed[] | null;
}

export const references: Readonly<Record<string, readonly Reference[]>> = JSON.parse(
  readFileSync(`${fixtures}engine/ops.json`, 'utf8'),
);

export function asDense({ shape, data }: Listed, dtype: DType): Dense {
  return { dtype, shape, data: Float64Array.from(data, Number) };
}
