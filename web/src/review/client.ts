/** Sends the review page's requests to the server that it came from. */
import type {
  DecidedAnswer,
  DecideRequest,
  ReviewRow,
  ReviewState,
  RewriteRequest,
  RowsAnswer,
  SummaryAnswer,
  UndoneAnswer,
  ViewAnswer,
  WriteAnswer,
} from '../../../src/review/server/schema.ts';
import type { DraftQuery } from '../../../src/review/views/view.ts';
import type { ErrorAnswer } from '../../../src/server/native/schema.ts';

/** The server refused; the message is for the reader. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** The token of the page's address, which then no longer shows it; kept for this tab alone. */
export function takeToken(): string {
  const given = location.hash.slice(1);
  if (given !== '') {
    sessionStorage.setItem('review-token', given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem('review-token') ?? '';
}

export class ReviewClient {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  state(): Promise<ReviewState> {
    return this.#json('/review/state');
  }

  view(query: DraftQuery): Promise<ViewAnswer> {
    return this.#json('/review/views', query);
  }

  rows(view: number, start: number, count: number): Promise<RowsAnswer> {
    return this.#json(`/review/views/${view}/rows?start=${start}&count=${count}`);
  }

  decide(request: DecideRequest): Promise<DecidedAnswer> {
    return this.#json('/review/decisions', request);
  }

  undo(): Promise<UndoneAnswer> {
    return this.#json('/review/undo', {});
  }

  rewrite(request: RewriteRequest): Promise<ReviewRow> {
    return this.#json('/review/rewrite', request);
  }

  compare(): Promise<ReviewState> {
    return this.#json('/review/compare', {});
  }

  summary(): Promise<SummaryAnswer> {
    return this.#json('/review/summary');
  }

  write(): Promise<WriteAnswer> {
    return this.#json('/review/write', {});
  }

  /** The address of a picture in memory, to be revoked when it is not shown any more. */
  async picture(place: number): Promise<string> {
    const response = await this.#fetch(`/review/pictures/${place}`);
    return URL.createObjectURL(await response.blob());
  }

  async #json<Answer>(path: string, body?: unknown): Promise<Answer> {
    return (await this.#fetch(path, body)).json();
  }

  /** @throws Refused with a sentence */
  async #fetch(path: string, body?: unknown): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    let response: Response;
    try {
      response = await fetch(path, { ...sent, headers, cache: 'no-store' });
    } catch {
      throw new Refused(
        'The server does not answer: is refcap review still running? All decisions so far are kept.',
      );
    }
    if (response.ok) return response;
    if (response.status === 401)
      throw new Refused(
        'Open the whole address that refcap review printed, with what is behind #.',
      );
    const text = await response.text();
    try {
      const { error }: ErrorAnswer = JSON.parse(text);
      throw new Refused(error.message);
    } catch (error) {
      if (error instanceof Refused) throw error;
      throw new Refused(`The server answered ${response.status}.`);
    }
  }
}
