/** POST /v1/captions: the server's own interface. */
import type { ImageCaption } from '../../caption/result.ts';
import type { PictureOutcome } from '../captions/events.ts';
import { type CaptionRequest, type Job, openJob, outcomes } from '../captions/job.ts';
import type { RouteContext, ServerContext } from '../context.ts';
import { eventStream, openAiError, serverSentEvent, streamResponse } from '../http/answers.ts';
import { readNativeRequest } from './request.ts';
import {
  type CaptionAnswer,
  type CaptionEventData,
  type CaptionedAnswer,
  type DoneEventData,
  type ErrorEventData,
  type FailedAnswer,
  optionsSchema,
  type WordEvent,
} from './schema.ts';

interface NativeCaptionRequest extends CaptionRequest {
  readonly words: boolean;
  readonly stream: boolean;
}

export async function postCaptions(
  server: ServerContext,
  context: RouteContext,
): Promise<Response> {
  const { req } = context;
  const job = await openJob(server, context, (body) => readRequest(server, context, body));
  const isStreamed =
    job.request.stream || (req.header('accept') ?? '').toLowerCase().startsWith(eventStream);
  return isStreamed
    ? streamResponse(events(server, job), eventStream, job.stop)
    : context.json(await answer(server, job));
}

async function readRequest(
  server: ServerContext,
  context: RouteContext,
  body: Uint8Array<ArrayBuffer>,
): Promise<NativeCaptionRequest> {
  const { pictures, options } = await readNativeRequest(server, context, body, optionsSchema);
  const { stream = false, prefix, words = false, ...rest } = options;
  const dependence = words === 'dependence' ? true : undefined;
  return {
    pictures,
    options: { ...rest, prompt: prefix, dependence },
    words: words !== false,
    stream,
  };
}

async function answer(
  server: ServerContext,
  job: Job<NativeCaptionRequest>,
): Promise<CaptionAnswer> {
  const all = await outcomes(job.events, job.request.pictures.length);
  return { model: server.model.name, results: all.map((outcome) => result(outcome, job.request)) };
}

function result(
  outcome: PictureOutcome,
  request: NativeCaptionRequest,
): CaptionedAnswer | FailedAnswer {
  const { name } = request.pictures[outcome.index];
  switch (outcome.kind) {
    case 'done':
      return captioned(name, outcome.result, outcome.ms, request.words);
    case 'failed':
      return { name, ...openAiError(outcome.error) };
  }
}

function captioned(
  name: string,
  { caption, captions, width, height }: ImageCaption,
  ms: number,
  withWords: boolean,
): CaptionedAnswer {
  return {
    name,
    caption,
    captions: captions.map(
      ({ text, logprob, meanLogprob, score, mainNoun, confidence, words }) => ({
        text,
        logprob,
        meanLogprob,
        ...(score !== undefined && { score }),
        ...(mainNoun !== undefined && { mainNoun }),
        ...(confidence !== undefined && { confidence }),
        ...(withWords && words && { words: words.map((word) => ({ ...word })) }),
      }),
    ),
    width,
    height,
    ms,
  };
}

async function* events(
  server: ServerContext,
  { request, events }: Job<NativeCaptionRequest>,
): AsyncGenerator<string, void> {
  for await (const event of events) {
    const { index } = event;
    if (event.kind === 'word') {
      // How much it depends on the picture is known at the caption's end alone.
      const { text, logprob } = event.word;
      yield serverSentEvent({ index, text, logprob } satisfies WordEvent, 'word');
    } else {
      const one = result(event, request);
      yield 'error' in one
        ? serverSentEvent({ index, ...one } satisfies ErrorEventData, 'error')
        : serverSentEvent({ index, ...one } satisfies CaptionEventData, 'caption');
    }
  }
  yield serverSentEvent({ model: server.model.name } satisfies DoneEventData, 'done');
}
