/** The wire format against protobuf's own writer and reader. */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joined, MessageWriter } from '../../../src/engine/onnx/wire.ts';

const field = fc.integer({ min: 1, max: 2 ** 29 - 1 });

test('whole numbers are written as int64', () => {
  fc.assert(
    fc.property(field, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (number, value) => {
      const own = new BinaryWriter().tag(number, WireType.Varint).int64(value).finish();
      expect(joined(new MessageWriter().integer(number, value).finish())).toEqual(own);
      if (BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)))
        expect(joined(new MessageWriter().integer(number, Number(value)).finish())).toEqual(own);
    }),
  );
});

test.each([0, 127, 128, 2 ** 31 - 1, 2 ** 32, 2 ** 53 - 1, -1, -(2 ** 53) + 1])(
  '%d is read back',
  (value) => {
    const reader = new BinaryReader(joined(new MessageWriter().integer(3, value).finish()));
    expect(reader.tag()).toEqual([3, WireType.Varint]);
    expect(reader.int64()).toBe(BigInt(value));
  },
);

test('floats, strings and bytes of any length, in messages within messages', () => {
  const content = fc.record({
    float: fc.float({ noNaN: true }),
    text: fc.string({ unit: 'binary' }),
    bytes: fc.oneof(
      fc.uint8Array(),
      // Around the length from which on bytes are kept apart.
      fc.integer({ min: 4090, max: 4100 }).map((length) => new Uint8Array(length).fill(length)),
    ),
  });
  fc.assert(
    fc.property(content, ({ float, text, bytes }) => {
      const own = new BinaryWriter()
        .tag(1, WireType.Bit32)
        .float(float)
        .tag(2, WireType.LengthDelimited)
        .string(text)
        .tag(3, WireType.LengthDelimited)
        .bytes(bytes)
        .finish();
      const inner = new MessageWriter().float(1, float).string(2, text).bytes(3, bytes).finish();
      expect(joined(inner)).toEqual(own);
      expect(joined(new MessageWriter().message(4, inner).integer(5, 1).finish())).toEqual(
        new BinaryWriter()
          .tag(4, WireType.LengthDelimited)
          .bytes(own)
          .tag(5, WireType.Varint)
          .int64(1)
          .finish(),
      );
    }),
  );
});

test('large bytes are not copied before the whole is joined', () => {
  const weights = new Uint8Array(1e5);
  const inner = new MessageWriter().bytes(1, weights).finish();
  expect(new MessageWriter().message(2, inner).finish()).toContain(weights);
});
