/** The thread that decodes and resizes pictures: in JavaScript, milliseconds each, seconds for the largest. */
import type { CallContext } from '../../base/threads/answer.ts';
import { serve } from '../../base/threads/serve.ts';
import { createPreprocessor, type Preprocessing } from '../../data/images/preprocess.ts';
import type { DecodeOptions } from '../../data/images/rgb.ts';
import { type ImageSource, type PreparedImage, prepareImage } from '../prepare.ts';

export interface PreparationRequest {
  readonly image: ImageSource;
  readonly preprocessing: Preprocessing;
  readonly options: Omit<DecodeOptions, 'signal' | 'onWarning'>;
}

const handlers = {
  /** Prepares a picture; tells of warnings as sentences. */
  async prepare(
    { image, preprocessing, options }: PreparationRequest,
    { signal, emit, handOver }: CallContext<string>,
  ): Promise<PreparedImage> {
    const preprocessor = createPreprocessor(preprocessing);
    const pixels = new Float32Array(preprocessor.valuesPerImage);
    const prepared = await prepareImage(image, preprocessor, pixels, {
      ...options,
      signal,
      onWarning: emit,
    });
    handOver(pixels.buffer);
    return prepared;
  },
};

export type PreparationThread = typeof handlers;

serve(handlers);
