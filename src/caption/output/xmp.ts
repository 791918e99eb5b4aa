/** Captions into XMP, beside pictures or in them: what others wrote stays. */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { describeWriteError } from '../../base/files.ts';
import {
  type SidecarNaming,
  sidecarPlace,
  type XmpPlace,
  xmpSidecarPath,
} from '../../metadata/places.ts';
import { type Existing, readDescribed, writeCaption } from '../../metadata/xmp/caption.ts';
import type { CaptionRow } from './formats.ts';
import type { CaptionSink } from './output.ts';

export interface XmpSinkOptions {
  /** What becomes of words that are there. */
  readonly existing: Existing;
  /** Skip pictures that refcap described already. */
  readonly resume: boolean;
  readonly naming: SidecarNaming;
  /** Who writes, such as "refcap 0.1.0", and with which model. */
  readonly agent: string;
  readonly model: string;
}

/** The best caption of each picture, written as its description and its alt text. */
export function xmpSink(options: XmpSinkOptions): CaptionSink {
  const taken = new Set<string>();
  const placeOf = (file: string): XmpPlace => sidecarPlace(xmpSidecarPath(file, options.naming));
  return {
    has: async (file) => {
      if (/^https?:/i.test(file))
        throw new InputError(`${file}: a picture from an address has no place for metadata.`);
      const place = placeOf(file);
      if (taken.has(place.name))
        throw new InputError(
          `${file}: ${place.name} already belongs to another picture of that name.`,
        );
      taken.add(place.name);
      await checkWritable(place.name);
      return isDone(place, options);
    },
    write: async (rows) => {
      for (const row of rows) await writeRow(placeOf(row.file), row, options);
    },
    finish: async () => undefined,
  };
}

/** A file is written under another name first. */
async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw describeWriteError(path, error);
  }
}

/** Whether the words that are there stay. Broken XMP is told before the model works. */
async function isDone(place: XmpPlace, { existing, resume }: XmpSinkOptions): Promise<boolean> {
  const packet = await place.read();
  if (packet === undefined) return false;
  const { description, altText, isOurs } = readDescribed(packet, place.name);
  if (isOurs && resume) return true;
  if (existing === 'keep') return (description ?? altText) !== undefined;
  return existing === 'empty-only' && description !== undefined && altText !== undefined;
}

async function writeRow(
  place: XmpPlace,
  { caption }: CaptionRow,
  { existing, agent, model }: XmpSinkOptions,
): Promise<void> {
  const when = `${new Date().toISOString().slice(0, 19)}Z`;
  const before = await place.read();
  const kept = existing === 'keep' ? 'empty-only' : existing;
  const added = { text: caption, agent, model, when };
  await place.write(writeCaption(before, added, kept, place.name));
}
