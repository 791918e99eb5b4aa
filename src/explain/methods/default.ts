/** The method by which a model is explained where none is asked for. */
import { towerOf, type VisionConfig } from '../../model/towers/towers.ts';
import { type MethodName, ofFinerTowers, ofOtherTowers } from './names.ts';

/** By the model's tower. */
export function defaultMethod(vision: VisionConfig): MethodName {
  return towerOf(vision).finer ? ofFinerTowers : ofOtherTowers;
}
