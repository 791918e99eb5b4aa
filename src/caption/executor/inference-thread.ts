/** The thread of an inference worker: sessions of its own, which answer one batch at a time. */
import type { CallContext } from '../../base/threads/answer.ts';
import { serve } from '../../base/threads/serve.ts';
import type { Sequence } from '../../generation/context.ts';
import type { ExecutorOptions } from './executor.ts';
import { LocalExecutor } from './local.ts';
import type { GenerationRequest } from './request.ts';

/** An id as it is chosen: image, candidate, id and log-probability. */
export type ChosenId = readonly [number, number, number, number];

export interface OpenRequest {
  readonly path: string;
  readonly options: ExecutorOptions;
}

let opened: Promise<LocalExecutor> | undefined;

const handlers = {
  /** Opens the model that all batches are for. */
  async open({ path, options }: OpenRequest): Promise<void> {
    opened = LocalExecutor.open(path, options);
    await opened;
  },

  /** Writes captions for a batch; tells of ids as they are chosen where that `isStreamed`. */
  async generate(
    { isStreamed, ...request }: GenerationRequest & { readonly isStreamed: boolean },
    { signal, emit }: CallContext<ChosenId>,
  ): Promise<Sequence[][]> {
    if (!opened) throw new Error('no model was opened');
    const executor = await opened;
    const images = await executor.generate(request, {
      signal,
      ...(isStreamed && { onId: (...id) => emit(id) }),
    });
    return images.map((sequences) => sequences.map(sequenceAlone));
  },
};

/** Without what the ways of generation keep beside a sequence. */
function sequenceAlone({ ids, logprobs, score, withoutPicture, concepts }: Sequence): Sequence {
  return {
    ids,
    logprobs,
    ...(score !== undefined && { score }),
    ...(withoutPicture && { withoutPicture }),
    ...(concepts && { concepts }),
  };
}

export type InferenceThread = typeof handlers;

serve(handlers);
