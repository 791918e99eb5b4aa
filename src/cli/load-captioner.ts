/** Opens the model that a command's flags name, telling of downloads on the standard error. */
import { Captioner } from '../blip/captioner.ts';

export interface ModelFlags {
  readonly model: string;
  readonly revision?: string;
  readonly offline?: true;
  readonly device?: string;
  readonly threads?: number;
  readonly imageSize?: number;
  readonly quantize?: 'int8';
  readonly keepRefiner?: true;
  readonly members?: number;
  readonly quiet?: true;
}

/** Milliseconds between two lines about a download. */
const interval = 2000;

/** @throws InputError naming what is missing or does not fit; the signal's reason when aborted */
export async function loadCaptioner(flags: ModelFlags, signal: AbortSignal): Promise<Captioner> {
  const { device, threads, imageSize, quantize, keepRefiner, members, revision, offline, quiet } =
    flags;
  let announced = 0;
  return Captioner.load(flags.model, {
    ...(device !== undefined && { device }),
    ...(threads !== undefined && { threads }),
    ...(imageSize !== undefined && { imageSize }),
    ...(quantize !== undefined && { quantize }),
    ...(keepRefiner && { keepRefiner }),
    ...(members !== undefined && { members }),
    hub: {
      revision,
      offline,
      signal,
      onWarning: (message) => console.error(`refcap: ${message}`),
      onProgress: ({ id, file, fileNumber, files, received, size }) => {
        const now = performance.now();
        if (quiet || now - announced < interval) return;
        announced = now;
        const percent = Math.floor((100 * received) / Math.max(1, size));
        console.error(`downloading ${id}: ${file} (${fileNumber} of ${files}), ${percent} %`);
      },
    },
  });
}
