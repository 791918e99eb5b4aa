/** POST /v1/captions: the server's own interface. */
import type { ImageCaption } from '../../caption/result.ts';
import type { Outcome } from '../captions/events.ts';
import { type Job, openJob, outcomes } from '../captions/job.ts';
import type { RouteContext, ServerContext } from '../context.ts';
import { eventStream, openAiError, serverSentEvent, streamResponse } from '../http/answers.ts';
import { type NativeRequest, readNativeRequest } from './request.ts';
import type {
  CaptionAnswer,
  CaptionEventData,
  CaptionedAnswer,
  DoneEventData,
  ErrorEventData,
  FailedAnswer,
  WordEvent,
} from './schema.ts';

export async function postCaptions(
  server: ServerContext,
  context: RouteContext,
): Promise<Response> {
  const { req } = context;
  const job = await openJob(server, context, (body) =>
    readNativeRequest({
      body,
      contentType: req.header('content-type') ?? '',
      query: new URL(req.url).searchParams,
      allowUrl: server.allowUrl,
    }),
  );
  const isStreamed =
    job.request.stream || (req.header('accept') ?? '').toLowerCase().startsWith(eventStream);
  return isStreamed
    ? streamResponse(events(server, job), eventStream, job.stop)
    : context.json(await answer(server, job));
}

async function answer(server: ServerContext, job: Job<NativeRequest>): Promise<CaptionAnswer> {
  const all = await outcomes(job.events, job.request.pictures.length);
  return { model: server.model.name, results: all.map((outcome) => result(outcome, job.request)) };
}

function result(outcome: Outcome, request: NativeRequest): CaptionedAnswer | FailedAnswer {
  const { name } = request.pictures[outcome.index];
  switch (outcome.kind) {
    case 'captioned':
      return captioned(name, outcome.result, outcome.ms, request.options.words ?? false);
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
    captions: captions.map(({ text, logprob, meanLogprob, score, words }) => ({
      text,
      logprob,
      meanLogprob,
      ...(score !== undefined && { score }),
      ...(withWords && words && { words: words.map((word) => ({ ...word })) }),
    })),
    width,
    height,
    ms,
  };
}

async function* events(
  server: ServerContext,
  { request, events }: Job<NativeRequest>,
): AsyncGenerator<string, void> {
  for await (const event of events) {
    const { index } = event;
    if (event.kind === 'word')
      yield serverSentEvent({ index, ...event.word } satisfies WordEvent, 'word');
    else {
      const one = result(event, request);
      yield 'error' in one
        ? serverSentEvent({ index, ...one } satisfies ErrorEventData, 'error')
        : serverSentEvent({ index, ...one } satisfies CaptionEventData, 'caption');
    }
  }
  yield serverSentEvent({ model: server.model.name } satisfies DoneEventData, 'done');
}
