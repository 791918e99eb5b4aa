/** Captions into XMP, beside pictures or in them: what others wrote stays. */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { describeWriteError } from '../../base/files.ts';
import type { Existing, SidecarNaming } from '../../metadata/choices.ts';
import { describedPicture } from '../../metadata/described.ts';
import { type EmbeddedOptions, embeddedPlace } from '../../metadata/embed/embedded.ts';
import { sidecarPlace, type XmpPlace, xmpSidecarPath } from '../../metadata/places.ts';
import { readDescribed, writeCaption } from '../../metadata/xmp/caption.ts';
import type { CaptionRow } from './formats.ts';
import type { CaptionSink } from './output.ts';
import { placeless } from './placeless.ts';

export interface XmpSinkOptions {
  /** What becomes of words that are there. */
  readonly existing: Existing;
  /** Skip pictures that refcap described already. */
  readonly resume: boolean;
  /** Files beside the pictures, named so, or the pictures themselves. */
  readonly where: SidecarNaming | EmbeddedOptions;
  /** Who writes, such as "refcap 0.1.0", and with which model. */
  readonly agent: string;
  readonly model: string;
}

/** The best caption of each picture, written as its description and its alt text. */
export function xmpSink(options: XmpSinkOptions): CaptionSink {
  const taken = new Set<string>();
  /** Files that are found under other names than the pictures'. */
  const paths = new Map<string, string>();
  const placeOf = (path: string): XmpPlace =>
    typeof options.where === 'string'
      ? sidecarPlace(xmpSidecarPath(path, options.where))
      : embeddedPlace(path, options.where);
  return {
    has: async (file, path = file) => {
      const where = placeless(file);
      if (where !== undefined)
        throw new InputError(`${file}: a picture ${where} has no place for metadata.`);
      if (path !== file) paths.set(file, path);
      const place = placeOf(path);
      if (taken.has(place.name) && typeof options.where === 'string')
        throw new InputError(
          `${file}: ${place.name} already belongs to another picture of that name.`,
        );
      taken.add(place.name);
      await checkWritable(place.name);
      return isDone(path, place, options);
    },
    write: async (rows) => {
      for (const row of rows)
        await writeRow(placeOf(paths.get(row.file) ?? row.file), row, options);
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

/** Whether the words that are there stay. What cannot be written to is told before the model works. */
async function isDone(
  path: string,
  place: XmpPlace,
  { existing, resume }: XmpSinkOptions,
): Promise<boolean> {
  const packet = await place.read();
  const found = packet === undefined ? undefined : readDescribed(packet, place.name);
  if (resume && found?.isOurs) return true;
  // Words elsewhere are the picture's too.
  if (existing === 'keep') return (await describedPicture(path)) !== undefined;
  const isFull = found?.description !== undefined && found.altText !== undefined;
  return existing === 'empty-only' && isFull;
}

async function writeRow(
  place: XmpPlace,
  { caption, keywords = [] }: CaptionRow,
  { existing, agent, model }: XmpSinkOptions,
): Promise<void> {
  // A model may write no word; that is no description.
  if (caption.trim() === '') return;
  const when = `${new Date().toISOString().slice(0, 19)}Z`;
  const before = await place.read();
  const kept = existing === 'keep' ? 'empty-only' : existing;
  const added = { text: caption, keywords, agent, model, when };
  await place.write(writeCaption(before, added, kept, place.name));
}
