/** Places of the frames of an image sequence (`stco` and `co64` in `moov`): they follow when bytes before them move. */
import { isoBoxes, NumberReader } from './boxes.ts';
import { damaged, unfit } from './carrier.ts';

/** The boxes that lead to them. */
const containers: ReadonlySet<string> = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);

/**
 * A copy of a box `moov` with its places corrected.
 * @param moved where a byte of the old file is in the new one
 * @throws InputError when it is damaged, or a place does not fit
 */
export function moveChunkOffsets(
  moov: Buffer,
  moved: (place: number) => number,
  name: string,
  kind: string,
): Buffer {
  const written = Buffer.from(moov);
  const walk = (start: number, end: number): void => {
    for (const { type, body, end: last } of isoBoxes(moov, start, end, name, kind)) {
      if (containers.has(type)) walk(body, last);
      else if (type === 'stco' || type === 'co64') {
        const fault = () => damaged(name, kind, `its ${type} is not whole`);
        const read = new NumberReader(moov, body + 4, last, fault);
        const size = type === 'stco' ? 4 : 8;
        for (let n = read.number(4); n > 0; n--) {
          const at = read.at;
          const place = moved(read.number(size));
          if (size === 8) written.writeBigUInt64BE(BigInt(place), at);
          else if (place < 2 ** 32) written.writeUInt32BE(place, at);
          else throw unfit(name, 'places in it would be larger than its numbers can be');
        }
      }
    }
  };
  walk(0, moov.length);
  return written;
}
