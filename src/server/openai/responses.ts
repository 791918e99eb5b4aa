/** POST /v1/responses: https://platform.openai.com/docs/api-reference/responses */
import { randomUUID } from 'node:crypto';
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
import { responsesFields, responsesSchema } from './schema.ts';
import { finishReason, usageOf } from './tokens.ts';

interface ResponsesRequest extends CaptionRequest {
  readonly stream: boolean;
  readonly ignored: readonly string[];
  /** What the answer repeats of the request. */
  readonly asked: {
    readonly temperature: number | null;
    readonly top_p: number | null;
    readonly max_output_tokens: number | null;
  };
}

export async function postResponses(
  server: ServerContext,
  context: RouteContext,
): Promise<Response> {
  const job = await openJob(server, context, (body) => readResponses(server, body));
  const { stream, ignored, pictures } = job.request;
  const about = new Answer(server, job.request);
  if (stream)
    return withIgnored(streamResponse(events(about, job), eventStream, job.stop), ignored);
  const captioned = await captionedAll(job.events, pictures.length);
  return withIgnored(context.json(about.whole(captioned)), ignored);
}

function readResponses(server: ServerContext, body: Uint8Array): ResponsesRequest {
  const asked = validate(responsesSchema, parseJsonBody(body));
  checkModelName(asked.model, server.model);
  const messages = typeof asked.input === 'string' ? [{ content: asked.input }] : asked.input;
  const { pictures, hasPrompt } = readMessages(messages, server.allowUrl);
  const { temperature = null, top_p = null, max_output_tokens = null } = asked;
  const flags = { temperature, topP: top_p, maxTokens: max_output_tokens };
  return {
    pictures,
    options: flagsOf(flags, server.service.model.defaults),
    stream: asked.stream ?? false,
    ignored: ignoredFields(asked, responsesFields, hasPrompt),
    asked: { temperature, top_p, max_output_tokens },
  };
}

interface ResponseObject extends Readonly<Record<string, unknown>> {
  readonly status: string;
}

/** One answer in its states. */
class Answer {
  readonly #server: ServerContext;
  readonly #asked: ResponsesRequest['asked'];
  readonly #id = `resp_${randomUUID()}`;
  readonly #created = Math.floor(Date.now() / 1000);
  readonly itemId = `msg_${randomUUID()}`;

  constructor(server: ServerContext, { asked }: ResponsesRequest) {
    this.#server = server;
    this.#asked = asked;
  }

  begun(): ResponseObject {
    return this.#response('in_progress', [], null, null);
  }

  whole(captioned: readonly Captioned[]): ResponseObject {
    const { prompt, written } = usageOf(captioned);
    const isWhole = finishReason(captioned, 0, this.#server.model) === 'stop';
    const usage = {
      input_tokens: prompt,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: written,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: prompt + written,
    };
    const item = this.item('completed', [this.part(candidateText(captioned, 0))]);
    const details = isWhole ? null : { reason: 'max_output_tokens' };
    return this.#response(isWhole ? 'completed' : 'incomplete', [item], usage, details);
  }

  item(status: string, content: readonly object[]): object {
    return { type: 'message', id: this.itemId, status, role: 'assistant', content };
  }

  part(text: string): object {
    return { type: 'output_text', text, annotations: [], logprobs: [] };
  }

  #response(
    status: string,
    output: readonly object[],
    usage: object | null,
    details: object | null,
  ): ResponseObject {
    return {
      id: this.#id,
      object: 'response',
      created_at: this.#created,
      status,
      error: null,
      incomplete_details: details,
      instructions: null,
      metadata: {},
      model: this.#server.model.name,
      output,
      parallel_tool_calls: false,
      previous_response_id: null,
      store: false,
      text: { format: { type: 'text' } },
      tool_choice: 'none',
      tools: [],
      truncation: 'disabled',
      usage,
      ...this.#asked,
    };
  }
}

async function* events(about: Answer, job: Job<ResponsesRequest>): AsyncGenerator<string, void> {
  let number = 0;
  const event = (type: string, data: object): string =>
    serverSentEvent({ type, sequence_number: number++, ...data }, type);
  const place = { output_index: 0, item_id: about.itemId, content_index: 0 };
  try {
    yield event('response.created', { response: about.begun() });
    yield event('response.in_progress', { response: about.begun() });
    yield event('response.output_item.added', {
      output_index: 0,
      item: about.item('in_progress', []),
    });
    yield event('response.content_part.added', { ...place, part: about.part('') });
    let text = '';
    const pieces = captionText(job.events, job.request.pictures.length);
    let next = await pieces.next();
    for (; !next.done; next = await pieces.next()) {
      text += next.value;
      yield event('response.output_text.delta', { ...place, delta: next.value, logprobs: [] });
    }
    yield event('response.output_text.done', { ...place, text, logprobs: [] });
    yield event('response.content_part.done', { ...place, part: about.part(text) });
    yield event('response.output_item.done', {
      output_index: 0,
      item: about.item('completed', [about.part(text)]),
    });
    const whole = about.whole(next.value);
    yield event(`response.${whole.status}`, { response: whole });
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const { message, type: code } = openAiError(error).error;
    yield event('error', { code, message, param: null });
  }
}
