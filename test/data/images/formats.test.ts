/** Which pictures there are, and what is said of those that are passed over. */
import { describe, expect, it } from 'vitest';
import { describePassedOver, pictureKind } from '../../../src/data/images/formats.ts';

describe('a file name', () => {
  it('says whether a picture is read, passed over, or none', () => {
    for (const name of ['.jpg', '.jfif', '.png', '.webp', '.avif', '.gif', '.tif', '.bmp', '.dib'])
      expect([name, pictureKind(name)]).toEqual([name, 'read']);
    for (const name of ['.heic', '.jxl', '.jp2', '.psd', '.cr2', '.dng', '.ico', '.svg'])
      expect([name, pictureKind(name)]).toEqual([name, 'passed over']);
    for (const name of ['', '.txt', '.json', '.mp4', '.zip', '.DS_Store'])
      expect([name, pictureKind(name)]).toEqual([name, 'none']);
    expect(pictureKind('.svg', true)).toBe('read');
  });
});

describe('pictures that are passed over', () => {
  it('are named and counted in a sentence', () => {
    expect(describePassedOver([])).toBeUndefined();
    expect(describePassedOver(['photos/IMG_1.HEIC'])).toBe(
      '1 picture of a kind that is not read (HEIC) is passed over: photos/IMG_1.HEIC; convert to JPEG or PNG what should count.',
    );
    expect(describePassedOver(['a.heic', 'b.jxl', 'c.heic', 'd.psd', 'e.heic'])).toBe(
      '5 pictures of kinds that are not read (HEIC, JPEG XL, Photoshop) are passed over: a.heic, b.jxl, c.heic and 2 more; convert to JPEG or PNG what should count.',
    );
  });
});
