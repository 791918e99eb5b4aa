/** Reads a request's body, no further than its limit. */
import { HttpError } from './errors.ts';

/** @throws HttpError 413 over the limit, before anything is read where the request says its length */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): HttpError =>
    new HttpError(
      413,
      `The body is larger than the limit of ${maxBytes.toLocaleString('en')} bytes (--max-body); send less at a time.`,
    );
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > maxBytes) throw tooLarge();
    parts.push(part);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The value of a JSON body. @throws HttpError 400 */
export function parseJsonBody(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HttpError(400, `The body is not valid JSON (${reason.split('\n')[0]}).`);
  }
}
