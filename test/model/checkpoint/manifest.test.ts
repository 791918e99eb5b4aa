/** What a manifest may say. */
import { describe, expect, it } from 'vitest';
import { manifestMembers, parseManifest } from '../../../src/model/checkpoint/manifest.ts';

const file = { bytes: 3, sha256: 'ab'.repeat(32) };
const good = { format: 1, files: { 'config.json': file }, selfTest: { ids: [2, 5], f32: [-1] } };
const parse = (json: object) =>
  parseManifest(JSON.stringify(json), 'https://a.example/refcap.json');

describe('a manifest', () => {
  it('is read as it was written', () => {
    expect(parse(good)).toEqual(good);
  });

  it.each([
    ['another format', { ...good, format: 2 }, /refcap\.json: format: must be 1; export/],
    ['a path out of the folder', { ...good, files: { '../x': file } }, /files\.\.\.\/x/],
    ['an absolute path', { ...good, files: { '/etc/x': file } }, /files/],
    ['an address', { ...good, files: { 'https://b.example/x': file } }, /files/],
    ['no hash', { ...good, files: { a: { bytes: 1, sha256: 'no' } } }, /files\.a\.sha256: must be/],
    ['no test', { ...good, selfTest: undefined }, /selfTest/],
  ])('with %s is refused', (_, json, message) => {
    expect(() => parse(json)).toThrow(message);
  });

  it('that is no JSON is refused', () => {
    expect(() => parseManifest('<html>', 'x')).toThrow(/^x: not valid JSON/);
  });

  it('says which members there are', () => {
    const files = { ...good.files, 'member-2/config.json': file, 'member-4/config.json': file };
    expect(manifestMembers(parse({ ...good, files }))).toEqual(['', 'member-2/']);
    expect(manifestMembers(parse(good))).toEqual(['']);
  });
});
