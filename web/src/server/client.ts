/** Sends the page's requests to the server that it came from, and reads the answers. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type {
  CaptionEventData,
  ErrorAnswer,
  ExplainedAnswer,
  ExplanationAnswer,
  WordEvent,
} from '../../../src/server/native/schema.ts';
import { Busy, PictureError, TokenNeeded, Unreachable } from './errors.ts';

/** A word as it is written, or of a finished caption. */
export interface Word extends Pick<WordEvent, 'text' | 'logprob'> {
  /** Log-probability less that of the same word without the picture, where the server tells it. */
  readonly dependence?: number | undefined;
}

export type Explanation = Omit<ExplainedAnswer, 'name' | 'ms'>;

export type CaptionResult = Omit<CaptionEventData, 'index' | 'name'>;
export type Candidate = CaptionResult['captions'][number];

/** How captions are asked for. */
export interface Settings {
  /** Captions a picture. */
  readonly candidates: number;
  readonly beams: number;
  /** What every caption begins with. */
  readonly prefix: string;
}

/** Seconds to wait where the server gives none. */
const usualWait = 2;

export class ServerClient {
  readonly #token: () => string;

  /** @param token what the reader entered; empty for none */
  constructor(token: () => string) {
    this.#token = token;
  }

  /** The model's name. @throws TokenNeeded, Unreachable */
  async modelName(): Promise<string> {
    const response = await this.#fetch('/v1/models', {});
    if (response.status === 401) throw new TokenNeeded();
    const answer: { readonly data: readonly { readonly id: string }[] } = await response.json();
    return answer.data[0].id;
  }

  /**
   * Captions a picture; `onWord` is told of the best caption's words as they are written.
   * @throws Busy, TokenNeeded, Unreachable, PictureError; the signal's reason when aborted
   */
  async caption(
    file: File,
    settings: Settings,
    { signal, onWord }: { readonly signal: AbortSignal; readonly onWord: (word: Word) => void },
  ): Promise<CaptionResult> {
    const body = new FormData();
    body.append('image', file, file.name);
    for (const [name, value] of fields(settings)) body.append(name, value);
    return this.#send('/v1/captions', file, { body, signal }, (response) =>
      readResult(response, onWord),
    );
  }

  /** Where each word of a caption looked. @throws as `caption` */
  async explain(file: File, caption: string, signal: AbortSignal): Promise<Explanation> {
    const body = new FormData();
    body.append('image', file, file.name);
    body.append('caption', caption);
    return this.#send('/v1/explanations', file, { body, signal }, async (response) => {
      const { results }: ExplanationAnswer = await response.json();
      const [result] = results;
      if ('error' in result) throw failure(result);
      return result;
    });
  }

  async #send<Result>(
    path: string,
    file: File,
    { body, signal }: { readonly body: FormData; readonly signal: AbortSignal },
    read: (response: Response) => Promise<Result>,
  ): Promise<Result> {
    try {
      const response = await this.#fetch(path, { method: 'POST', body, signal });
      if (!response.ok) throw await refusal(response);
      return await read(response);
    } catch (error) {
      if (signal.aborted || isTold(error)) throw error;
      throw await this.#reason(file, error);
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const token = this.#token();
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    return fetch(path, { ...init, headers, cache: 'no-store' });
  }

  /** A browser says of any broken request just that it failed: was it the file, the server or the line? */
  async #reason(file: File, cause: unknown): Promise<Error> {
    try {
      await file.slice(0, 1).arrayBuffer();
    } catch {
      const message = 'The file cannot be read: it was changed, moved or removed. Add it again.';
      return new PictureError(message, { cause });
    }
    try {
      await this.#fetch('/health/live', {});
    } catch {
      return new Unreachable();
    }
    return new PictureError('The connection to the server broke off.', { cause });
  }
}

function isTold(error: unknown): boolean {
  return [Busy, TokenNeeded, PictureError].some((kind) => error instanceof kind);
}

/** Sampling and length stay the model's own. Candidates come from beam search, which needs a beam for each. */
function fields({ candidates, beams, prefix }: Settings): [string, string][] {
  return [
    ['stream', 'true'],
    ['words', 'dependence'],
    ['numCaptions', String(candidates)],
    ['beams', String(Math.max(beams, candidates))],
    ...(prefix === '' ? [] : [['prefix', prefix] satisfies [string, string]]),
  ];
}

async function refusal(response: Response): Promise<Error> {
  if (response.status === 401) return new TokenNeeded();
  if (response.status === 429 || response.status === 503)
    return new Busy(Number(response.headers.get('retry-after')) || usualWait);
  const answer = await response.text();
  try {
    const { error }: ErrorAnswer = JSON.parse(answer);
    return new PictureError(error.message);
  } catch {
    return new PictureError(`The server answered ${response.status}.`);
  }
}

/** Reads the answer's events to the picture's end. */
async function readResult(
  response: Response,
  onWord: (word: Word) => void,
): Promise<CaptionResult> {
  if (response.body === null) throw new PictureError('The server answered nothing.');
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new PictureError('The server stopped in the middle of its answer.');
      if (value.event === 'word') onWord(JSON.parse(value.data));
      if (value.event === 'error') throw failure(JSON.parse(value.data));
      if (value.event === 'caption') return JSON.parse(value.data);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function failure({ error }: ErrorAnswer): Error {
  return error.code === 503 ? new Busy(usualWait) : new PictureError(error.message);
}
