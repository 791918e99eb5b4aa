/** Which pictures there are, and what is said of those that are passed over. */
import { describe, expect, it } from 'vitest';
import { describePassedOver, pictureKind, sniffFormat } from '../../../src/data/images/formats.ts';

describe('a file name', () => {
  it('says whether a picture is read, passed over, or none', () => {
    for (const name of '.jpg .jfif .png .webp .avif .heic .heif .hif .gif .tif .bmp .dib'.split(
      ' ',
    ))
      expect([name, pictureKind(name)]).toEqual([name, 'read']);
    for (const name of ['.jxl', '.jp2', '.psd', '.cr2', '.dng', '.ico', '.svg'])
      expect([name, pictureKind(name)]).toEqual([name, 'passed over']);
    for (const name of ['', '.txt', '.json', '.mp4', '.zip', '.DS_Store'])
      expect([name, pictureKind(name)]).toEqual([name, 'none']);
    expect(pictureKind('.svg', true)).toBe('read');
  });
});

describe('pictures that are passed over', () => {
  it('are named and counted in a sentence', () => {
    expect(describePassedOver([])).toBeUndefined();
    expect(describePassedOver(['photos/IMG_1.JXL'])).toBe(
      '1 picture of a kind that is not read (JPEG XL) is passed over: photos/IMG_1.JXL; convert to JPEG or PNG what should count.',
    );
    expect(describePassedOver(['a.dng', 'b.jxl', 'c.nef', 'd.psd', 'e.dng'])).toBe(
      '5 pictures of kinds that are not read (camera raw, JPEG XL, Photoshop) are passed over: a.dng, b.jxl, c.nef and 2 more; convert to JPEG or PNG what should count.',
    );
  });
});

describe('the content', () => {
  const sniffed = (major: string, ...others: string[]) => {
    const size = 16 + 4 * others.length;
    return sniffFormat(
      Buffer.from(
        `\0\0\0${String.fromCharCode(size)}ftyp${major}\0\0\0\0${others.join('')}`,
        'latin1',
      ),
    );
  };

  it('tells AVIF, HEIC and films apart, whatever brand comes first', () => {
    for (const brands of [
      ['heic', 'mif1', 'heic'],
      ['mif1', 'mif1', 'heic'],
      ['heix'],
      ['heim'],
      ['heis'],
      ['msf1', 'hevc'],
      ['hevc', 'msf1'],
    ])
      expect(sniffed(brands[0], ...brands.slice(1))).toEqual({ decodable: 'HEIC' });
    for (const brands of [
      ['avif', 'mif1', 'miaf'],
      ['mif1', 'avif', 'miaf'],
      ['avis', 'msf1'],
    ])
      expect(sniffed(brands[0], ...brands.slice(1))).toEqual({ decodable: 'AVIF' });
    expect(sniffed('isom', 'mp42')).toEqual({ other: 'a video' });
  });
});
