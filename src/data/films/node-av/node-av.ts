/** Films read by the package node-av: FFmpeg's libraries in this process. */
import { isSampleRgb, sampleFilters, samplePlanes, sampleSize } from '../conversion.ts';
import type { FilmDecoder } from '../decoder.ts';
import { NodeAvFeed } from './feed.ts';
import { findStreams } from './file.ts';
import { FilterChain } from './filters.ts';
import { loadNodeAv } from './package.ts';

export const nodeAvDecoder: FilmDecoder = {
  name: 'node-av',
  find: async (path, signal) => findStreams(await loadNodeAv(), path, signal),
  convertsAlike() {
    alike ??= sampleIsAlike();
    return alike;
  },
  hasFilter: async (name) => (await loadNodeAv()).Filter.getByName(name) !== null,
  open: async (film, options, signal) => NodeAvFeed.open(await loadNodeAv(), film, options, signal),
};

let alike: Promise<boolean> | undefined;

async function sampleIsAlike(): Promise<boolean> {
  const library = await loadNodeAv();
  const format = library.avGetPixFmtFromName('yuv420p');
  const frame = library.Frame.fromVideoBuffer(Buffer.from(samplePlanes), { ...sampleSize, format });
  const chain = new FilterChain(library, sampleFilters, { num: 1, den: 25 });
  try {
    const rgb = new Uint8Array(3 * sampleSize.width * sampleSize.height);
    const made = await chain.run(frame);
    if (typeof made === 'number') return false;
    chain.copy(made, rgb);
    return isSampleRgb(rgb);
  } finally {
    chain.close();
    frame.free();
  }
}
