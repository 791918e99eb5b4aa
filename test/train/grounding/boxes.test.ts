/** Boxes of a step's words as a tensor. */
import { expect, it } from 'vitest';
import { feedBoxes } from '../../../src/train/grounding/boxes.ts';
import { wholePicture } from '../../../src/train/grounding/cells.ts';

it('feedBoxes lays boxes beside the labels of the captions that are shown, and counts what is seen', () => {
  const upper = [0, 0, 1, 0.5] as const;
  const grounded = [
    [[{ label: 1, boxes: [upper] }], []],
    [[], [{ label: 0, boxes: [upper] }], [{ label: 2, boxes: [upper] }]],
  ];
  const lower = { left: 0, top: 0.5, width: 1, height: 0.5, mirrored: false };
  const units = [
    { image: 1, captions: [2, 1] },
    { image: 0, captions: [0] },
  ];
  const { boxes, count } = feedBoxes(grounded, units, [wholePicture, lower], [2, 2, 3], 2);
  expect(boxes.shape).toEqual([2, 2, 3, 4]);
  const wanted = new Float32Array(2 * 2 * 3 * 4);
  wanted.set([1, 1, 0, 0], 2 * 4); // first image, first shown caption, third label
  wanted.set([1, 1, 0, 0], 3 * 4); // first image, second shown caption, first label
  expect(boxes.data).toEqual(wanted); // of the second image the lower half is shown, without the box
  expect(count).toBe(2);
});
