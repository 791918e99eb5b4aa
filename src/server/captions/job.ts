/** A caption request, from its body to what happens to its pictures: the same for every interface. */
import { captionOptions, type GenerationFlags } from '../../caption/command-options.ts';
import type { RouteContext, ServerContext } from '../context.ts';
import { readBody } from '../http/body.ts';
import { ClientGone, HttpError } from '../http/errors.ts';
import type { CaptionEvent, Outcome, Picture } from './events.ts';

/** What an interface reads from a body. */
export interface CaptionRequest {
  readonly pictures: readonly Picture[];
  readonly options: GenerationFlags;
}

export interface Job<Request extends CaptionRequest> {
  readonly request: Request;
  readonly events: AsyncGenerator<CaptionEvent, void>;
  /** Ends it before its end: nobody reads the answer. */
  stop(): void;
}

/**
 * Takes a request in, if there is room, and starts to caption its pictures.
 * @throws HttpError where the request cannot be taken, or where its only picture fails before its first word
 */
export async function openJob<Request extends CaptionRequest>(
  server: ServerContext,
  context: RouteContext,
  parse: (body: Uint8Array<ArrayBuffer>) => Request | Promise<Request>,
): Promise<Job<Request>> {
  const { service, maxBody } = server;
  const { raw } = context.req;
  const ticket = service.enter();
  try {
    const request = await parse(await readBody(raw, maxBody));
    const { pictures, options } = request;
    context.set('pictures', pictures.length);
    if (pictures.length === 0) throw new HttpError(400, 'There is no picture in the request.');
    const flags = captionOptions(options, service.model.defaults);
    const stop = new AbortController();
    const signal = AbortSignal.any([raw.signal, stop.signal]);
    const events = service.caption(pictures, flags, { ticket, signal });
    // Until it is known that it can be done, the answer has its status still to come.
    const first = await events.next();
    if (!first.done && first.value.kind === 'failed' && pictures.length === 1)
      throw first.value.error;
    return { request, events: resumed(first, events), stop: () => stop.abort() };
  } catch (error) {
    ticket[Symbol.dispose]();
    if (raw.signal.aborted) throw new ClientGone('the client went away', { cause: error });
    throw error;
  }
}

async function* resumed<Event>(
  first: IteratorResult<Event, void>,
  rest: AsyncGenerator<Event, void>,
): AsyncGenerator<Event, void> {
  try {
    if (first.done) return;
    yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}

/** How each picture ended, in their order. */
export async function outcomes(
  events: AsyncGenerator<CaptionEvent, void>,
  count: number,
): Promise<Outcome[]> {
  const all = new Array<Outcome>(count);
  for await (const event of events) if (event.kind !== 'word') all[event.index] = event;
  return all;
}
