/** Opens the model that a command's flags name, telling of downloads on the standard error. */
import { Captioner } from '../../caption/captioner.ts';
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

/** @throws InputError naming what is missing or does not fit; the signal's reason when aborted */
export async function loadCaptioner(flags: ModelFlags, signal: AbortSignal): Promise<Captioner> {
  const { device, threads, imageSize, quantize, keepRefiner, members, workers } = flags;
  const { conceptFile: concepts } = flags;
  return Captioner.load(flags.model, {
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
    hub: hubOptions(flags, signal),
  });
}
