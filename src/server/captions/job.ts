/** A request, from its body to what happens to its pictures: the same for every interface. */
import { captionOptions, type GenerationFlags } from '../../caption/command-options.ts';
import type { ImageCaption } from '../../caption/result.ts';
import type { RouteContext, ServerContext } from '../context.ts';
import { readBody } from '../http/body.ts';
import { ClientGone, HttpError } from '../http/errors.ts';
import type { Picture, PictureEvent, PictureOutcome } from './events.ts';
import type { Room } from './service.ts';

export interface PicturesRequest {
  readonly pictures: readonly Picture[];
}

/** What an interface reads from a body. */
export interface CaptionRequest extends PicturesRequest {
  readonly options: GenerationFlags;
}

export interface Job<Request extends PicturesRequest, Result = ImageCaption> {
  readonly request: Request;
  readonly events: AsyncGenerator<PictureEvent<Result>, void>;
  /** Ends it before its end: nobody reads the answer. */
  stop(): void;
}

type Parse<Request> = (body: Uint8Array<ArrayBuffer>) => Request | Promise<Request>;

/** Takes a request for captions in. @throws as `openPictureJob` */
export function openJob<Request extends CaptionRequest>(
  server: ServerContext,
  context: RouteContext,
  parse: Parse<Request>,
): Promise<Job<Request>> {
  const { service } = server;
  return openPictureJob(server, context, parse, ({ pictures, options }, room) =>
    service.caption(pictures, captionOptions(options, service.model.defaults), room),
  );
}

/**
 * Takes a request in, if there is room, and starts the work on its pictures.
 * @throws HttpError where the request cannot be taken, or where its only picture fails before its first word
 */
export async function openPictureJob<Request extends PicturesRequest, Result>(
  server: ServerContext,
  context: RouteContext,
  parse: Parse<Request>,
  start: (request: Request, room: Room) => AsyncGenerator<PictureEvent<Result>, void>,
): Promise<Job<Request, Result>> {
  const { service, maxBody } = server;
  const { raw } = context.req;
  const ticket = service.enter();
  try {
    const request = await parse(await readBody(raw, maxBody));
    const { pictures } = request;
    context.set('pictures', pictures.length);
    if (pictures.length === 0) throw new HttpError(400, 'There is no picture in the request.');
    const stop = new AbortController();
    const events = start(request, {
      ticket,
      signal: AbortSignal.any([raw.signal, stop.signal]),
    });
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
export async function outcomes<Result>(
  events: AsyncGenerator<PictureEvent<Result>, void>,
  count: number,
): Promise<PictureOutcome<Result>[]> {
  const all = new Array<PictureOutcome<Result>>(count);
  for await (const event of events) if (event.kind !== 'word') all[event.index] = event;
  return all;
}
