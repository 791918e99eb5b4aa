/** The names of the methods of explanation, for whoever need not run them. */
import { UsageError } from '../../base/errors.ts';
import { towerOf, type VisionConfig } from '../../model/towers/towers.ts';

export const methodNames = [
  'layer-cam',
  'gradient-attention',
  'attention',
  'gradient-input',
  'integrated-gradients',
  'occlusion',
  'rise',
] as const;

export type MethodName = (typeof methodNames)[number];

const known: ReadonlySet<string> = new Set(methodNames);

export function isMethodName(name: string): name is MethodName {
  return known.has(name);
}

/** @throws UsageError for what is no method's name */
export function checkMethod(method: string | undefined): void {
  if (method !== undefined && !isMethodName(method))
    throw new UsageError(`method (${method}): one of ${methodNames.join(', ')}.`);
}

/** Where the tower has a finer grid than its tokens'. What speaks for it is in docs/explain.md. */
const ofFinerTowers: MethodName = 'layer-cam';
/** Elsewhere. */
const ofOthers: MethodName = 'gradient-attention';

/** The default in words. */
export const aboutDefault = `${ofFinerTowers} where the model's tower has a finer grid than its tokens, as the bundled model's has, else ${ofOthers}`;

/** The method by which a model is explained where none is asked for. */
export function defaultMethod(vision: VisionConfig): MethodName {
  return towerOf(vision).finer ? ofFinerTowers : ofOthers;
}
