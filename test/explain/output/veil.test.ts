/** Maps as veils: clear where the word looked, dark elsewhere. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { veilPixels } from '../../../src/explain/output/veil.ts';
import { veilAddress } from '../../../src/explain/output/veil-address.ts';

/** The opacity of each cell. */
function opacities(...map: number[]): number[] {
  return [...veilPixels(Float32Array.from(map))].filter((_, i) => i % 4 === 3);
}

describe('a veil', () => {
  it('is clear at the map’s highest place, and as dark as can be where that speaks against the word', () => {
    const [clear, half, none, against] = opacities(4, 2, 0, -7);
    expect(clear).toBe(0);
    expect(Math.abs(half - none / 2)).toBeLessThanOrEqual(1);
    expect(against).toBe(none);
    expect(none).toBeGreaterThan(128);
    expect(none).toBeLessThan(255);
  });

  it('is even where the map says nothing, and the same for a map of other height', () => {
    expect(new Set(opacities(0, 0, -1, 0)).size).toBe(1);
    expect(opacities(40, 20, 0, -70)).toEqual(opacities(4, 2, 0, -7));
  });

  it('is a picture of one pixel a cell, in the map’s order', async () => {
    const map = Float32Array.of(1, 0, 0, 0.5);
    const address = await veilAddress(map, 2);
    expect(address).toMatch(/^data:image\/png;base64,/);
    const png = Buffer.from(address.split(',')[1], 'base64');
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 2, height: 2, channels: 4 });
    expect([...data]).toEqual([...veilPixels(map)]);
  });
});
