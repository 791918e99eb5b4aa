/** The thread of an explaining worker: a model with its gradients, for one picture at a time. */
import type { CallContext } from '../../base/threads/answer.ts';
import { serve } from '../../base/threads/serve.ts';
import type { ModelSource } from '../../caption/captioner.ts';
import { ExplainedModel } from '../model.ts';
import { type ExplainedPositions, explainPositions, type PositionsRequest } from '../positions.ts';
import { storedMembers } from './stored-members.ts';

let opened: ExplainedModel | undefined;

const handlers = {
  /** All pictures are for the model of the first. */
  async explain(
    { source, ...request }: PositionsRequest & { readonly source: ModelSource },
    { signal }: CallContext<never>,
  ): Promise<ExplainedPositions> {
    opened ??= new ExplainedModel(storedMembers(source));
    return explainPositions(opened, request, signal);
  },
};

export type ExplainingThread = typeof handlers;

serve(handlers);
