/** Where a captioner's pictures are explained: in threads where it has workers, so that the caller's stays free. */
import { InputError } from '../../base/errors.ts';
import { ThreadClient } from '../../base/threads/client.ts';
import { threadModule } from '../../base/threads/module.ts';
import { ThreadPool } from '../../base/threads/pool.ts';
import type { Captioner, ModelSource } from '../../caption/captioner.ts';
import { workerOptions } from '../../caption/executor/workers.ts';
import { ExplainedModel } from '../model.ts';
import { type ExplainedPositions, explainPositions, type PositionsRequest } from '../positions.ts';
import type { ExplainingThread } from './explaining-thread.ts';
import { storedMembers } from './stored-members.ts';

type Explainer = (request: PositionsRequest, signal?: AbortSignal) => Promise<ExplainedPositions>;

/** @throws InputError for a captioner with the training-only layers */
export function checkExplainable({ source }: Captioner): void {
  if (source.options.keepRefiner)
    throw new InputError(
      'the training-only layers are not explained; open the captioner without keepRefiner.',
    );
}

/** The explained models of captioners, which own them. */
const explainedModels = new WeakMap<Captioner, ExplainedModel>();

/** The captioner's model with its gradients, in this thread. It is opened once and disposed of with the captioner. */
export function explainedModel(captioner: Captioner): ExplainedModel {
  const known = explainedModels.get(captioner);
  if (known) return known;
  checkExplainable(captioner);
  const model = captioner.own(new ExplainedModel(storedMembers(captioner.source)));
  explainedModels.set(captioner, model);
  return model;
}

const explainers = new WeakMap<Captioner, Explainer>();

/** What explains the captioner's pictures. It is opened once and disposed of with the captioner. */
export function explainerOf(captioner: Captioner): Explainer {
  const known = explainers.get(captioner);
  if (known) return known;
  const explainer =
    captioner.workers === 0
      ? (request: PositionsRequest, signal?: AbortSignal) =>
          explainPositions(explainedModel(captioner), request, signal)
      : inThreads(captioner);
  explainers.set(captioner, explainer);
  return explainer;
}

/** As many threads as the captioner has workers. */
function inThreads(captioner: Captioner): Explainer {
  const { workers, source } = captioner;
  // Another device than the CPU belongs to the thread that captions.
  const options = { ...workerOptions(source.options, workers), device: 'cpu' };
  const own: ModelSource = { path: source.path, options };
  const pool = new ThreadPool<ExplainingThread>(
    workers,
    (onFree) => new ThreadClient(explainingModule, { name: 'explaining', onFree }),
  );
  captioner.own({
    [Symbol.dispose]: () => void pool.close(new Error('the captioner was disposed')),
  });
  return (request, signal) =>
    pool.run((thread) => thread.call('explain', { ...request, source: own }, { signal }), signal);
}

const explainingModule = threadModule('explaining-thread', import.meta.url);
