/** Tensors of 8 bits with scales beside them are read as the numbers that they stand for; others as they are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../src/base/bytes.ts';
import { accessBytes } from '../../src/weights/bytes.ts';
import { widening } from '../../src/weights/rounded.ts';
import { encodeSafetensors, readSafetensors } from '../../src/weights/safetensors/read.ts';
import { fromFloat32, toFloat32, type WeightTensor } from '../../src/weights/weight.ts';

const open = (tensors: Readonly<Record<string, WeightTensor>>) =>
  widening(readSafetensors(accessBytes(encodeSafetensors(new Map(Object.entries(tensors))))));

const bytes = (shape: number[], values: readonly number[]): WeightTensor => ({
  dtype: 'i8',
  shape,
  data: bytesOf(Int8Array.from(values)),
});
const floats = (shape: number[], values: readonly number[]): WeightTensor =>
  fromFloat32(Float32Array.from(values), shape);

describe('widening', () => {
  it('gives whole numbers times the scale of their row', async () => {
    const whole = fc.integer({ min: -127, max: 127 });
    const scale = fc.float({ min: Math.fround(1e-6), max: 10, noNaN: true });
    const table = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }));
    const property = fc.asyncProperty(
      table.chain(([rows, columns]) =>
        fc.tuple(
          fc.constant([rows, columns]),
          fc.array(whole, { minLength: rows * columns, maxLength: rows * columns }),
          fc.array(scale, { minLength: rows, maxLength: rows }),
        ),
      ),
      async ([[rows, columns], values, scales]) => {
        const source = open({
          w: bytes([rows, columns], values),
          'w.scale': floats([rows], scales),
        });
        const wanted = values.map((x, i) => Math.fround(x * scales[Math.floor(i / columns)]));
        expect([...source.tensors.keys()]).toEqual(['w']);
        expect(source.tensors.get('w')).toEqual({
          name: 'w',
          dtype: 'f32',
          shape: [rows, columns],
          byteLength: 4 * values.length,
        });
        expect([...(await source.readFloat32('w'))]).toEqual(wanted);
        expect([...toFloat32(await source.read('w'))]).toEqual(wanted);
        const target = new Uint8Array(4 * values.length);
        await source.readInto('w', target);
        expect([...new Float32Array(target.buffer)]).toEqual(wanted);
        const stored = await source.rounded('w')?.read();
        expect([...(stored?.values ?? [])]).toEqual(values);
      },
    );
    await fc.assert(property, { numRuns: 50 });
  });

  it('leaves all else as it is', async () => {
    const source = open({
      alone: bytes([2], [1, 2]),
      other: floats([2], [1, 2]),
      'other.scale': floats([1], [3]),
    });
    expect([...source.tensors.keys()].sort()).toEqual(['alone', 'other', 'other.scale']);
    expect((await source.read('alone')).dtype).toBe('i8');
    expect([...(await source.readFloat32('other'))]).toEqual([1, 2]);
    expect(source.rounded('alone')).toBeUndefined();
  });

  it('names scales that do not fit', () => {
    const scales = floats([3], [1, 2, 3]);
    expect(() => open({ w: bytes([2, 1], [1, 2]), 'w.scale': scales })).toThrow(
      "memory: 'w.scale' has 3 values for the 2 rows of 'w'.",
    );
  });
});
