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
  /** Prepares a picture in shared memory; tells of warnings as sentences. */
  async prepare(
    { image, preprocessing, options }: PreparationRequest,
    { signal, emit }: CallContext<string>,
  ): Promise<PreparedImage> {
    const preprocessor = createPreprocessor(preprocessing);
    const { valuesPerImage } = preprocessor;
    const memory = new SharedArrayBuffer(valuesPerImage * Float32Array.BYTES_PER_ELEMENT);
    return prepareImage(image, preprocessor, new Float32Array(memory), {
      ...options,
      signal,
      onWarning: emit,
    });
  },
};

export type PreparationThread = typeof handlers;

serve(handlers);
