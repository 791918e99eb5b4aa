/** POST /v1/explanations: where each word of a caption comes from. */
import { captionOptions } from '../../caption/command-options.ts';
import type { ExplainOptions } from '../../explain/explain.ts';
import type { Explanation } from '../../explain/explanation.ts';
import { explanationRow } from '../../explain/output/json.ts';
import { openPictureJob, outcomes, type PicturesRequest } from '../captions/job.ts';
import type { RouteContext, ServerContext } from '../context.ts';
import { openAiError } from '../http/answers.ts';
import { HttpError } from '../http/errors.ts';
import { readNativeRequest } from './request.ts';
import {
  type ExplainRequestOptions,
  type ExplanationAnswer,
  explainOptionsSchema,
} from './schema.ts';

interface ExplainRequest extends PicturesRequest {
  readonly options: ExplainOptions;
}

export async function postExplanations(
  server: ServerContext,
  context: RouteContext,
): Promise<Response> {
  const { service, model } = server;
  const { request, events } = await openPictureJob(
    server,
    context,
    (body) => readRequest(server, context, body),
    ({ pictures, options }, room) => service.explain(pictures, options, room),
  );
  const all = await outcomes<Explanation>(events, request.pictures.length);
  const answer: ExplanationAnswer = {
    model: model.name,
    results: all.map((outcome) => {
      const { name } = request.pictures[outcome.index];
      return outcome.kind === 'failed'
        ? { name, ...openAiError(outcome.error) }
        : { name, ...explanationRow(outcome.result), ms: outcome.ms };
    }),
  };
  return context.json(answer);
}

async function readRequest(
  server: ServerContext,
  context: RouteContext,
  body: Uint8Array<ArrayBuffer>,
): Promise<ExplainRequest> {
  const { pictures, options } = await readNativeRequest(
    server,
    context,
    body,
    explainOptionsSchema,
  );
  if (options.caption !== undefined && pictures.length > 1)
    throw new HttpError(400, `caption: it is for one picture, and there are ${pictures.length}.`);
  return { pictures, options: explainOptions(options, server) };
}

/** @throws HttpError 400 for options of writing beside a caption that is given */
function explainOptions(
  { caption, method, seed, prefix, ...writing }: ExplainRequestOptions,
  { service }: ServerContext,
): ExplainOptions {
  const own = { ...(method && { method }), ...(seed !== undefined && { seed }) };
  const flags = { ...writing, prompt: prefix };
  if (caption === undefined)
    return { ...own, generation: captionOptions({ ...flags, seed }, service.model.defaults) };
  const [idle] =
    Object.entries({ ...writing, prefix }).find(([, value]) => value !== undefined) ?? [];
  if (idle !== undefined)
    throw new HttpError(400, `${idle}: no caption is written where one is given; leave it out.`);
  return { ...own, caption };
}
