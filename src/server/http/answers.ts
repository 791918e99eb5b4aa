/** Errors in the form that a path's clients know, and answers that are written bit by bit. */
import { STATUS_CODES } from 'node:http';
import type { ErrorAnswer } from '../native/schema.ts';
import type { HttpError } from './errors.ts';

/** The body that tells a client of an error: OpenAI's form, which the native interface shares, unless the path is of another. */
export function errorBody(error: HttpError, path: string): unknown {
  if (path.startsWith('/api/v1/vision/'))
    return { id: '', code: error.status, error: error.message, result: {} };
  if (path.startsWith('/api/') || path.startsWith('/models/') || path === '/')
    return { error: error.message };
  return openAiError(error);
}

export function openAiError({ status, message }: HttpError): ErrorAnswer {
  const type =
    status === 401
      ? 'authentication_error'
      : status === 403
        ? 'permission_error'
        : status < 500
          ? 'invalid_request_error'
          : 'server_error';
  return { error: { message, type, param: null, code: status } };
}

/** An error as a response, with Retry-After where it is worth trying again. */
export function errorResponse(error: HttpError, path: string): Response {
  const headers = new Headers({ 'content-type': 'application/json' });
  if (error.retryAfter !== undefined) headers.set('retry-after', String(error.retryAfter));
  if (error.status === 401) headers.set('www-authenticate', 'Bearer');
  const { status } = error;
  return new Response(JSON.stringify(errorBody(error, path)), {
    status,
    statusText: STATUS_CODES[status] ?? '',
    headers,
  });
}

export const eventStream = 'text/event-stream';
export const jsonLines = 'application/x-ndjson';

/** A server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function serverSentEvent(data: unknown, event?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`;
}

/** A response whose pieces are sent as they come. @param stop called when its reader leaves */
export function streamResponse(
  pieces: AsyncGenerator<string, void>,
  contentType: typeof eventStream | typeof jsonLines,
  stop: () => void,
): Response {
  const encoder = new TextEncoder();
  let isLeft = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        if (!isLeft) throw error;
      }
    },
    async cancel() {
      isLeft = true;
      stop();
      await pieces.return();
    },
  });
  return new Response(body, {
    // Proxies that collect answers are asked not to.
    headers: {
      'content-type': contentType,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    },
  });
}
