/** The boxes of a step's words, as the objective is fed with them. Pure. */
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import type { Unit } from '../loop/batches.ts';
import { coveredCells, type SeenPart, wholePicture } from './cells.ts';
import type { GroundedToken } from './words.ts';

/** Of each image, of each of its captions. */
export type GroundedCaptions = readonly (readonly (readonly GroundedToken[])[])[];

/** The objective's input `boxes`, and how many words have one that is seen. */
export interface FedBoxes {
  /** f32 [images, captions, length, cells] */
  readonly boxes: Tensor;
  readonly count: number;
}

/**
 * Lays out the boxes of the captions that a step shows.
 * @param seen what the step shows of each of its images
 * @param shape of its texts: [images, captions, length]
 * @param side cells a side of the tower's grid
 */
export function feedBoxes(
  grounded: GroundedCaptions,
  units: readonly Unit[],
  seen: readonly SeenPart[],
  [images, captions, length]: readonly [number, number, number],
  side: number,
): FedBoxes {
  const cells = side * side;
  const data = new Float32Array(images * captions * length * cells);
  let count = 0;
  for (const [i, { image, captions: shown }] of units.entries())
    for (const [j, caption] of shown.entries())
      for (const { label, boxes } of grounded[image][caption]) {
        const covered = coveredCells(boxes, seen[i] ?? wholePicture, side);
        if (!covered.some((share) => share > 0)) continue;
        data.set(covered, ((i * captions + j) * length + label) * cells);
        count += 1;
      }
  return { boxes: tensor('f32', [images, captions, length, cells], data), count };
}
