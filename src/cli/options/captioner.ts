/** Opens the model that a command's flags name, telling of downloads on the standard error. */
import { Captioner, type CaptionerOptions } from '../../caption/captioner.ts';
import type { ConceptFile } from '../../caption/concepts/read.ts';
import { type HubFlags, hubOptions } from './hub.ts';

export interface ModelFlags extends HubFlags {
  readonly model: string;
  readonly device?: string;
  readonly threads?: number;
  readonly imageSize?: number;
  readonly quantize?: 'int8';
  readonly keepRefiner?: true;
  readonly members?: number;
  readonly workers?: number;
  /** A file of concepts, as it was read. */
  readonly conceptFile?: ConceptFile | undefined;
}

/** Up to this many pictures a worker's start costs more than progress and Ctrl-C gain. */
export const fewPictures = 32;

/** Workers for so many pictures, where none are asked for. */
export function suitableWorkers(pictures: number): number {
  return pictures > fewPictures ? 1 : 0;
}

/** How the flags say that the model works, but for where it comes from. */
export function captionerOptions({
  device,
  threads,
  imageSize,
  quantize,
  keepRefiner,
  members,
  workers,
  conceptFile: concepts,
}: Omit<ModelFlags, 'model'>): Omit<CaptionerOptions, 'hub'> {
  return {
    ...(device !== undefined && { device }),
    ...(threads !== undefined && { threads }),
    ...(imageSize !== undefined && { imageSize }),
    ...(quantize !== undefined && { quantize }),
    ...(keepRefiner && { keepRefiner }),
    ...(members !== undefined && { members }),
    ...(workers !== undefined && { workers }),
    ...(concepts && {
      concepts: concepts.kind === 'names' ? concepts : { kind: concepts.kind },
    }),
  };
}

/** @throws InputError naming what is missing or does not fit; the signal's reason when aborted */
export async function loadCaptioner(flags: ModelFlags, signal: AbortSignal): Promise<Captioner> {
  return Captioner.load(flags.model, {
    ...captionerOptions(flags),
    hub: hubOptions(flags, signal),
  });
}
