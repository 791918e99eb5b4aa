/** POST /v1/chat/completions: https://platform.openai.com/docs/api-reference/chat */
import { randomUUID } from 'node:crypto';
import type { GenerationFlags } from '../../caption/command-options.ts';
import { flagsOf, ignoredFields, withIgnored } from '../captions/instructions.ts';
import { type CaptionRequest, type Job, openJob } from '../captions/job.ts';
import { type Captioned, candidateText, captionedAll, captionText } from '../captions/text.ts';
import type { RouteContext, ServerContext } from '../context.ts';
import { eventStream, openAiError, serverSentEvent, streamResponse } from '../http/answers.ts';
import { parseJsonBody } from '../http/body.ts';
import { HttpError } from '../http/errors.ts';
import { validate } from '../http/validate.ts';
import { checkModelName } from '../model.ts';
import { readMessages } from './messages.ts';
import { type ChatAnswer, chatFields, chatSchema } from './schema.ts';
import { finishReason, usageOf } from './tokens.ts';

interface ChatRequest extends CaptionRequest {
  readonly stream: boolean;
  readonly withUsage: boolean;
  readonly choices: number;
  readonly ignored: readonly string[];
}

export async function postChat(server: ServerContext, context: RouteContext): Promise<Response> {
  const job = await openJob(server, context, (body) => readChat(server, body));
  const { stream, ignored } = job.request;
  const response = stream
    ? streamResponse(chunks(server, job), eventStream, job.stop)
    : context.json(await answer(server, job));
  return withIgnored(response, ignored);
}

function readChat(server: ServerContext, body: Uint8Array): ChatRequest {
  const asked = validate(chatSchema, parseJsonBody(body));
  checkModelName(asked.model, server.model);
  const { pictures, hasPrompt } = readMessages(asked.messages, server.allowUrl);
  const choices = asked.n ?? 1;
  const options: GenerationFlags = {
    ...flagsOf(
      {
        temperature: asked.temperature,
        topP: asked.top_p,
        seed: asked.seed,
        maxTokens: asked.max_completion_tokens ?? asked.max_tokens,
      },
      server.service.model.defaults,
    ),
    ...(choices > 1 && { numCaptions: choices }),
  };
  return {
    pictures,
    options,
    choices,
    stream: asked.stream ?? false,
    withUsage: asked.stream_options?.include_usage ?? false,
    ignored: ignoredFields(asked, chatFields, hasPrompt),
  };
}

function head(server: ServerContext): { id: string; created: number; model: string } {
  return {
    id: `chatcmpl-${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: server.model.name,
  };
}

async function answer(server: ServerContext, job: Job<ChatRequest>): Promise<ChatAnswer> {
  const captioned = await captionedAll(job.events, job.request.pictures.length);
  return {
    object: 'chat.completion',
    ...head(server),
    choices: Array.from({ length: job.request.choices }, (_, index) => ({
      index,
      message: {
        role: 'assistant',
        content: candidateText(captioned, index),
        refusal: null,
      },
      logprobs: null,
      finish_reason: finishReason(captioned, index, server.model),
    })),
    usage: usage(captioned),
  };
}

function usage(captioned: readonly Captioned[]): ChatAnswer['usage'] {
  const { prompt, written } = usageOf(captioned);
  return { prompt_tokens: prompt, completion_tokens: written, total_tokens: prompt + written };
}

async function* chunks(
  server: ServerContext,
  { events, request }: Job<ChatRequest>,
): AsyncGenerator<string, void> {
  const shared = { object: 'chat.completion.chunk', ...head(server) };
  const chunk = (index: number, delta: object, reason: string | null = null): string =>
    serverSentEvent({
      ...shared,
      choices: [{ index, delta, logprobs: null, finish_reason: reason }],
    });
  const text = captionText(events, request.pictures.length);
  try {
    for (let index = 0; index < request.choices; index++)
      yield chunk(index, { role: 'assistant', content: '', refusal: null });
    let next = await text.next();
    for (; !next.done; next = await text.next()) yield chunk(0, { content: next.value });
    const captioned = next.value;
    // The other candidates are known at the end alone.
    for (let index = 1; index < request.choices; index++)
      yield chunk(index, { content: candidateText(captioned, index) });
    for (let index = 0; index < request.choices; index++)
      yield chunk(index, {}, finishReason(captioned, index, server.model));
    if (request.withUsage)
      yield serverSentEvent({ ...shared, choices: [], usage: usage(captioned) });
    yield serverSentEvent('[DONE]');
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    yield serverSentEvent(openAiError(error));
  }
}
