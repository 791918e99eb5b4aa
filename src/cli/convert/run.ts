/** The work of `refcap convert`: reads the checkpoint and saves it. */

import { roundedWeights } from '../../export/web/weights.ts';
import { convertModel } from '../../model/checkpoint/convert.ts';
import type { SavedDtype } from '../../model/checkpoint/dtypes.ts';
import { hubOptions } from '../options/hub.ts';
import { interruptible } from '../terminal/interrupt.ts';

export interface ConvertFlags {
  base?: string;
  dtype: SavedDtype;
  quantize?: 'int8';
  imageSize?: number;
  overwrite?: true;
  revision?: string;
  offline?: true;
}

/** @throws InputError where the checkpoint cannot be read, or the output folder is taken */
export async function runConvert(
  model: string,
  output: string,
  flags: ConvertFlags,
): Promise<void> {
  const { dtype, quantize, imageSize, overwrite } = flags;
  await interruptible(async (signal) => {
    const { source, values, opensInPython } = await convertModel(model, output, {
      dtype,
      ...(quantize && { rewrite: roundedWeights }),
      overwrite: overwrite ?? false,
      ...(imageSize !== undefined && { imageSize }),
      hub: hubOptions(flags, signal),
      signal,
    });
    console.error(
      `${source}: ${values.toLocaleString('en')} values, saved as ${quantize ?? dtype}`,
    );
    if (!opensInPython)
      console.error(
        `transformers does not know ${quantize ? 'weights of 8 bits' : 'its vision tower'} and cannot open it`,
      );
    console.log(output);
  }, '; nothing was written.');
}
