/** Profiles of colours by numbers, against published ones. */
import { expect, it } from 'vitest';
import { colourProfile } from '../../../../src/data/images/heic/colour-profile.ts';
import { isSrgbProfile } from '../../../../src/data/images/icc.ts';

/** What a tag holds. */
function tag(profile: Uint8Array | undefined, name: string): Buffer {
  const bytes = Buffer.from(profile ?? []);
  expect(bytes.readUInt32BE(0)).toBe(bytes.length);
  for (let i = 0; i < bytes.readUInt32BE(128); i++) {
    const at = 132 + 12 * i;
    if (bytes.toString('latin1', at, at + 4) !== name) continue;
    const start = bytes.readUInt32BE(at + 4);
    return bytes.subarray(start, start + bytes.readUInt32BE(at + 8));
  }
  throw new Error(`no ${name}`);
}

const colorant = (profile: Uint8Array | undefined, name: string) =>
  [8, 12, 16].map((at) => tag(profile, name).readInt32BE(at) / 65536);

/** Light of a code, both 0 to 1. */
function light(profile: Uint8Array | undefined, code: number): number {
  const curve = tag(profile, 'gTRC');
  const last = curve.readUInt32BE(8) - 1;
  return curve.readUInt16BE(12 + 2 * Math.round(code * last)) / 65535;
}

it('has the colorants that are published for the colour spaces', () => {
  const near = (numbers: readonly number[], expected: readonly number[]) => {
    for (const [i, one] of numbers.entries()) expect(one).toBeCloseTo(expected[i], 4);
  };
  // Apple's Display P3.icc, and the Rec2020 profile of E. Stone's elles_icc_profiles.
  const p3 = colourProfile(12, 13);
  near(colorant(p3, 'rXYZ'), [0.51512, 0.2412, -0.00105]);
  near(colorant(p3, 'gXYZ'), [0.29198, 0.69225, 0.04189]);
  near(colorant(p3, 'bXYZ'), [0.1571, 0.06657, 0.78407]);
  const wide = colourProfile(9, 14);
  near(colorant(wide, 'rXYZ'), [0.67348, 0.27904, -0.00194]);
  near(colorant(wide, 'gXYZ'), [0.16566, 0.67534, 0.02998]);
  near(colorant(wide, 'bXYZ'), [0.12505, 0.04561, 0.79684]);
});

it('is none of sRGB, nor of what is near to it', () => {
  for (const [primaries, transfer] of [
    [1, 13],
    [2, 2],
    [1, 1],
    [5, 6],
    [6, 6],
    [1, 14],
  ])
    expect(colourProfile(primaries, transfer)).toBeUndefined();
  expect(isSrgbProfile(colourProfile(12, 13) ?? Buffer.alloc(0))).toBe(false);
});

it('has the curves of gamma, linear light and PQ', () => {
  expect(light(colourProfile(1, 4), 0.5)).toBeCloseTo(0.5 ** 2.2, 4);
  expect(light(colourProfile(1, 8), 0.25)).toBeCloseTo(0.25, 4);
  const pq = colourProfile(9, 16);
  // ST 2084: 0.5081 is 100 cd/m2, 0.3 is 9.9, 0.5807 is 203; white is 203.
  expect(light(pq, 0.3) * 203).toBeCloseTo(10, 0);
  expect(light(pq, 0)).toBe(0);
  // Below its knee (93 cd/m2) BT.2390 changes nothing, from 1000 on all is white.
  expect(light(pq, 0.48) * 203).toBeCloseTo(75.6, 0);
  expect(light(pq, 0.7518)).toBeCloseTo(1, 2);
  expect(light(pq, 1)).toBe(1);
  const codes = Array.from({ length: 101 }, (_, i) => light(pq, i / 100));
  for (const [i, one] of codes.entries()) expect(one).toBeGreaterThanOrEqual(codes[i - 1] ?? 0);
  // What was white, and is no more.
  expect(light(pq, 0.5807)).toBeGreaterThan(0.6);
  expect(light(pq, 0.5807)).toBeLessThan(0.85);
});
