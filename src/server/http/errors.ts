/** What went wrong with a request, as a status and one sentence that tells nothing of the machine. */
import { InputError } from '../../base/errors.ts';
import { ThreadError } from '../../base/threads/client.ts';
import { QueueFull, TooManyPictures } from '../batching/admission.ts';
import { WaitedTooLong } from '../batching/batcher.ts';

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 422 | 500 | 503;

export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: ErrorStatus;
  /** Seconds after which it is worth trying again. */
  readonly retryAfter: number | undefined;
  constructor(
    status: ErrorStatus,
    message: string,
    { retryAfter, ...options }: ErrorOptions & { retryAfter?: number } = {},
  ) {
    super(message, options);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** A client went away: nobody reads the answer, and nothing failed. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/**
 * What a client is told of an error. Only input errors speak for themselves: others could tell paths.
 * @param inputStatus of an input error: 400 of a request, 422 of a picture
 */
export function toHttpError(error: unknown, inputStatus: 400 | 422, retryAfter: number): HttpError {
  if (error instanceof HttpError) return error;
  const cause = error;
  if (error instanceof ThreadError)
    return new HttpError(
      500,
      'The worker that had this picture ended; it was replaced. Send the request again.',
      { cause },
    );
  if (error instanceof QueueFull)
    return new HttpError(503, 'The server has as much waiting as it takes; try again later.', {
      cause,
      retryAfter,
    });
  if (error instanceof WaitedTooLong)
    return new HttpError(503, 'The picture waited for too long; try again later.', {
      cause,
      retryAfter,
    });
  if (error instanceof TooManyPictures)
    return new HttpError(
      413,
      `A request may have at most ${error.most} pictures; send the others in another.`,
      { cause },
    );
  if (error instanceof InputError) return new HttpError(inputStatus, error.message, { cause });
  return new HttpError(500, 'An unexpected error; the server logged it.', { cause });
}
