/** POST /api/generate and POST /api/chat, which differ in where pictures stand and where the text goes. */
import { flagsOf, ignoredFields, withIgnored } from '../captions/instructions.ts';
import { type CaptionRequest, type Job, openJob } from '../captions/job.ts';
import { pictureFromText } from '../captions/pictures.ts';
import { type Captioned, candidateText, captionedAll, captionText } from '../captions/text.ts';
import type { RouteContext, ServerContext } from '../context.ts';
import { jsonLines, streamResponse } from '../http/answers.ts';
import { parseJsonBody } from '../http/body.ts';
import { HttpError } from '../http/errors.ts';
import { validate } from '../http/validate.ts';
import { checkModelName } from '../model.ts';
import { finishReason, usageOf } from '../openai/tokens.ts';
import { chatSchema, generateSchema, known, type OllamaOptions } from './schema.ts';
import { ollamaName } from './tags.ts';

type Kind = 'generate' | 'chat';

interface OllamaRequest extends CaptionRequest {
  readonly stream: boolean;
  readonly ignored: readonly string[];
}

/** A request without picture and prompt asks for the model to be loaded. */
class LoadAsked extends Error {}

export async function postOllama(
  server: ServerContext,
  context: RouteContext,
  kind: Kind,
): Promise<Response> {
  const answer = new Answer(server, kind);
  try {
    const job = await openJob(server, context, (body) => read(server, kind, body));
    const { stream, ignored, pictures } = job.request;
    if (stream)
      return withIgnored(streamResponse(lines(answer, job), jsonLines, job.stop), ignored);
    const captioned = await captionedAll(job.events, pictures.length);
    const text = candidateText(captioned, 0);
    return withIgnored(context.json(answer.end(text, captioned)), ignored);
  } catch (error) {
    if (error instanceof LoadAsked) return context.json(answer.loaded());
    throw error;
  }
}

function read(server: ServerContext, kind: Kind, body: Uint8Array): OllamaRequest {
  const value = parseJsonBody(body);
  switch (kind) {
    case 'generate': {
      const asked = validate(generateSchema, value);
      const { prompt, images } = asked;
      return request(server, asked, images ?? [], prompt ?? '', known.generate);
    }
    case 'chat': {
      const asked = validate(chatSchema, value);
      const { messages } = asked;
      const last = messages.findLast(({ images }) => images && images.length > 0);
      const prompt = messages.map(({ content }) => content ?? '').join('');
      return request(server, asked, last?.images ?? [], prompt, known.chat);
    }
  }
}

interface Asked extends Readonly<Record<string, unknown>> {
  readonly model: string;
  readonly stream?: boolean | null | undefined;
  readonly options?: OllamaOptions | null | undefined;
}

function request(
  server: ServerContext,
  asked: Asked,
  images: readonly string[],
  prompt: string,
  fields: readonly string[],
): OllamaRequest {
  checkModelName(asked.model, server.model);
  if (images.length === 0 && prompt === '') throw new LoadAsked();
  const {
    temperature,
    top_p: topP,
    top_k: topK,
    seed,
    num_predict: maxTokens,
  } = asked.options ?? {};
  const sampling = { temperature, topP, topK, seed, maxTokens };
  return {
    pictures: images.map((text, i) => pictureFromText(text, `picture ${i + 1}`, server.allowUrl)),
    options: flagsOf(sampling, server.service.model.defaults),
    stream: asked.stream ?? true,
    ignored: [
      ...ignoredFields(asked, fields, prompt.trim() !== ''),
      ...ignoredFields(asked.options ?? {}, known.options, false),
    ],
  };
}

/** The objects of one answer. Times are in nanoseconds. */
class Answer {
  readonly #server: ServerContext;
  readonly #kind: Kind;
  readonly #started = performance.now();

  constructor(server: ServerContext, kind: Kind) {
    this.#server = server;
    this.#kind = kind;
  }

  piece(text: string): object {
    return { ...this.#head(text), done: false };
  }

  /** @param text the whole text, or in a stream none */
  end(text: string, captioned: readonly Captioned[]): object {
    const total = Math.round(1e6 * (performance.now() - this.#started));
    const { prompt, written } = usageOf(captioned);
    return {
      ...this.#head(text),
      done: true,
      done_reason: finishReason(captioned, 0, this.#server.model),
      total_duration: total,
      load_duration: 0,
      prompt_eval_count: prompt,
      prompt_eval_duration: 0,
      eval_count: written,
      eval_duration: total,
    };
  }

  loaded(): object {
    return { ...this.#head(''), done: true, done_reason: 'load' };
  }

  #head(text: string): object {
    return {
      model: ollamaName(this.#server.model),
      created_at: new Date().toISOString(),
      ...(this.#kind === 'generate'
        ? { response: text }
        : { message: { role: 'assistant', content: text } }),
    };
  }
}

async function* lines(
  answer: Answer,
  { events, request }: Job<OllamaRequest>,
): AsyncGenerator<string, void> {
  const text = captionText(events, request.pictures.length);
  try {
    let next = await text.next();
    for (; !next.done; next = await text.next())
      yield `${JSON.stringify(answer.piece(next.value))}\n`;
    yield `${JSON.stringify(answer.end('', next.value))}\n`;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    yield `${JSON.stringify({ error: error.message })}\n`;
  }
}
