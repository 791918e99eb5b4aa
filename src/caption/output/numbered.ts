/** Results that name pictures by number alone. */
import { InputError } from '../../base/errors.ts';
import { cocoNumber } from './coco.ts';
import type { CaptionSink } from './output.ts';

/** A sink that refuses pictures whose names say no number, before the model sees them. What is written is known by number. */
export function onlyNumbered(sink: CaptionSink): CaptionSink {
  return {
    has: async (file, path) => {
      const number = cocoNumber(file);
      if (number !== undefined) return sink.has(String(number), path);
      throw new InputError(
        `${file}: COCO's results name pictures by number, and this name is none; use --format json.`,
      );
    },
    write: (rows) => sink.write(rows),
    finish: () => sink.finish(),
  };
}
