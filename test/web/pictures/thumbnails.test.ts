/** Thumbnails: few at a time, few kept, and those of the view always. */
import { describe, expect, it } from 'vitest';
import { newPicture, type Picture } from '../../../web/src/pictures/picture.ts';
import { mostKept, Thumbnails } from '../../../web/src/pictures/thumbnails.ts';

const pictures = (count: number): Picture[] =>
  Array.from({ length: count }, (_, i) => newPicture(`${i}.jpg`, new File([], `${i}.jpg`)));
const turn = () => new Promise((resolve) => setImmediate(resolve));
const made = (all: readonly Picture[]) =>
  all.filter(({ thumbnail }) => thumbnail.value.kind === 'made');

describe('Thumbnails', () => {
  it('are made two at a time, the latest wanted first, and not when out of view again', async () => {
    const begun: string[] = [];
    const go: (() => void)[] = [];
    const thumbnails = new Thumbnails(({ name }) => {
      begun.push(name);
      return new Promise((resolve) => go.push(() => resolve(`blob:${name}`)));
    });
    const all = pictures(5);
    for (const picture of all) thumbnails.show(picture);
    expect(begun).toEqual(['0.jpg', '1.jpg']);
    thumbnails.hide(all[4]);
    go[0]();
    await turn();
    expect(begun).toEqual(['0.jpg', '1.jpg', '3.jpg']);
    expect(all[0].thumbnail.value).toEqual({ kind: 'made', address: 'blob:0.jpg' });
  });

  it('are given up when too many are out of view, the oldest first, and made again', async () => {
    const released: string[] = [];
    const thumbnails = new Thumbnails(
      async ({ name }) => `blob:${name}`,
      (address) => released.push(address),
    );
    const all = pictures(mostKept + 10);
    for (const picture of all) {
      thumbnails.show(picture);
      await turn();
      if (picture !== all[0]) thumbnails.hide(picture);
    }
    expect(made(all)).toHaveLength(mostKept);
    expect(released).toEqual(all.slice(1, 11).map(({ name }) => `blob:${name}`));
    thumbnails.show(all[1]);
    await turn();
    expect(all[1].thumbnail.value.kind).toBe('made');
    thumbnails.forget(all[1]);
    expect(all[1].thumbnail.value.kind).toBe('none');
  });

  it('say where the browser cannot read the picture', async () => {
    const thumbnails = new Thumbnails(() => Promise.reject(new Error('no such kind')));
    const [picture] = pictures(1);
    thumbnails.show(picture);
    await turn();
    expect(picture.thumbnail.value).toEqual({ kind: 'unreadable' });
  });
});
