/** Leaves pictures alone that have a description already. */
import { describedPicture } from '../../metadata/described.ts';
import type { CaptionSink } from './output.ts';
import { placeless } from './placeless.ts';

/** A sink that takes pictures for done whose metadata say what is on them: XMP beside or in them, or IPTC. */
export function skippingDescribed(sink: CaptionSink): CaptionSink {
  return {
    has: async (file, path) =>
      // First: a sink may refuse the picture.
      (await sink.has(file, path)) ||
      (placeless(file) === undefined && (await describedPicture(path ?? file)) !== undefined),
    write: (rows) => sink.write(rows),
    finish: () => sink.finish(),
  };
}
