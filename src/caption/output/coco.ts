/** COCO's results, as its server takes them: `[{"image_id": 42, "caption": "..."}]`. */
import { basename } from 'node:path';
import { parseAddress } from '../../data/shards/address.ts';

/** The number in a picture's name: 42 of COCO_val2014_000000000042.jpg, of 000000000042.jpg, and of 42.png. */
export function cocoNumber(file: string): number | undefined {
  const name = basename(parseAddress(file)?.member ?? file);
  const [, digits] = /^(?:COCO_[a-z]+\d{4}_)?(\d{1,15})\.\w+$/i.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** A result, without the array around it. */
export function cocoRow({ file, caption }: { file: string; caption: string }): string {
  return JSON.stringify({ image_id: cocoNumber(file), caption });
}
