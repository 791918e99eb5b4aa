/** A batch's pixels: the same values however they lie, copied only where they must be. */
import { describe, expect, it } from 'vitest';
import { batchOf, oneAfterTheOther } from '../../../src/caption/executor/batch.ts';

const size = { width: 2, height: 3 };
const values = 3 * size.width * size.height;
const picture = (from: number): Float32Array =>
  Float32Array.from({ length: values }, (_, i) => from + i);
const all = Float32Array.from({ length: 3 * values }, (_, i) => i);
const pictures = [picture(0), picture(values), picture(2 * values)];

describe('a batch', () => {
  it('of pictures that lie apart is a copy of them', () => {
    const { shape, data } = batchOf(pictures, size);
    expect(shape).toEqual([3, 3, 3, 2]);
    expect(data).toEqual(all);
  });

  it('of copies that lie one after the other is where they are', () => {
    const { copies, memory } = oneAfterTheOther(pictures);
    const { data } = batchOf(copies, size);
    expect(data).toEqual(all);
    expect(data.buffer).toBe(memory);
    const { data: last } = batchOf(copies.slice(1), size);
    expect(last).toEqual(all.subarray(values));
    expect(last.buffer).toBe(memory);
  });

  it('of copies in another order, or with one between, is in the order that is asked for', () => {
    const { copies } = oneAfterTheOther(pictures);
    const turned = batchOf([...copies].reverse(), size).data;
    expect([...turned]).toEqual([...pictures].reverse().flatMap((pixels) => [...pixels]));
    const parts = batchOf([copies[0], copies[2]], size).data;
    expect([...parts]).toEqual([...pictures[0], ...pictures[2]]);
    const twice = batchOf([copies[1], copies[1]], size).data;
    expect([...twice]).toEqual([...pictures[1], ...pictures[1]]);
  });

  it('of shared memory is a copy, which ONNX Runtime can read', () => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * values));
    shared.set(pictures[1]);
    const { data } = batchOf([shared], size);
    expect(data).toEqual(pictures[1]);
    expect(data.buffer).toBeInstanceOf(ArrayBuffer);
  });
});
