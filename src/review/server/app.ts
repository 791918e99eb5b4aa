/** The review page's server: a function from Request to Response over a session. */
import { type Context, Hono } from 'hono';
import type { Captioner } from '../../caption/captioner.ts';
import { captionOptions } from '../../caption/command-options.ts';
import type { ImageCaption } from '../../caption/result.ts';
import { jpegThumbnail } from '../../data/images/thumbnail.ts';
import { parseJsonBody, readBody } from '../../server/http/body.ts';
import { HttpError } from '../../server/http/errors.ts';
import { answerErrors, authorized, guarded, safeHeaders } from '../../server/http/frame.ts';
import { validate } from '../../server/http/validate.ts';
import { type StaticFiles, staticResponse } from '../../server/static-files.ts';
import { findPicture } from '../pictures.ts';
import type { ReviewSession } from '../session.ts';
import type { DraftCaption } from '../sources/draft.ts';
import { draftQuerySchema } from '../views/view.ts';
import type { PictureComparison } from './comparison.ts';
import {
  type Candidate,
  type DecidedAnswer,
  decideSchema,
  type ReviewRow,
  type ReviewState,
  type RowsAnswer,
  rewriteSchema,
  type UndoneAnswer,
  type ViewAnswer,
  type WriteAnswer,
} from './schema.ts';

export interface ReviewContext {
  readonly session: ReviewSession;
  /** What is reviewed, as the command was given it. */
  readonly path: string;
  readonly by: string;
  readonly token: string;
  readonly page: StaticFiles;
  readonly model: string;
  /** Opens the model, the first time that something is to be written anew. */
  readonly captioner: () => Promise<Captioner>;
  readonly comparison: PictureComparison;
  readonly signal: AbortSignal;
}

/** A caption and the little that is said of it. */
const mostBody = 2 ** 20;
/** Pixels that a picture is shown wide or high. */
const shownPixels = 1024;
/** Rows that are asked for at a time. */
const mostRows = 500;

/** @param onFault told of errors whose reason the page is not told */
export function createReviewApp(server: ReviewContext, onFault: (error: unknown) => void): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(safeHeaders)) context.header(name, value);
  });
  app.use(guarded({ isLoopback: true, hasToken: false, cors: [] }));
  app.use(authorized(server.token, (method, path) => method === 'GET' && server.page.has(path)));
  addReading(app, server);
  addDeciding(app, server);
  for (const [path, file] of server.page) app.get(path, () => staticResponse(file, path));
  answerErrors(app, onFault);
  return app;
}

function addReading(app: Hono, server: ReviewContext): void {
  const { session, comparison } = server;
  app.get('/review/state', (context) => context.json(stateOf(server)));
  app.get('/review/summary', async (context) => context.json(await session.summary()));
  app.post('/review/views', async (context) => {
    const query = validate(draftQuerySchema, await bodyOf(context));
    const { id, places } = session.view(query);
    return context.json({ id, total: places.length } satisfies ViewAnswer);
  });
  app.get('/review/views/:id/rows', (context) => {
    const places = session.placesOf(Number(context.req.param('id')));
    if (!places) throw new HttpError(404, 'This list is not kept any more; load the page anew.');
    const start = wholeNumber(context, 'start');
    const count = Math.min(mostRows, wholeNumber(context, 'count'));
    const rows = places.slice(start, start + count).map((place) => rowOf(session, place));
    return context.json({ rows } satisfies RowsAnswer);
  });
  app.get('/review/pictures/:place', async (context) => {
    const draft = session.drafts[checkedPlace(session, Number(context.req.param('place')))];
    const jpeg = await jpegThumbnail(await pathOf(draft, server), shownPixels);
    return new Response(new Uint8Array(jpeg), { headers: { 'content-type': 'image/jpeg' } });
  });
  app.post('/review/compare', (context) => {
    comparison.start();
    return context.json(stateOf(server));
  });
}

function addDeciding(app: Hono, server: ReviewContext): void {
  const { session, path } = server;
  const decided = (): number => decidedCount(session);
  app.post('/review/decisions', async (context) => {
    const { place, said, seconds } = validate(decideSchema, await bodyOf(context));
    checkedPlace(session, place);
    const text = said.kind === 'caption' ? said.text.replace(/\s+/g, ' ').trim() : '';
    if (said.kind === 'caption' && text === '')
      throw new HttpError(400, 'A caption has words; call the draft wrong where none fits.');
    await session.decide(place, said.kind === 'caption' ? { ...said, text } : said, seconds);
    const answer: DecidedAnswer = { row: rowOf(session, place), decided: decided() };
    return context.json(answer);
  });
  app.post('/review/undo', async (context) => {
    const place = await session.undo();
    const row = place === undefined ? undefined : rowOf(session, place);
    return context.json({ ...(row && { row }), decided: decided() } satisfies UndoneAnswer);
  });
  app.post('/review/rewrite', async (context) => {
    const { place, options } = validate(rewriteSchema, await bodyOf(context));
    const picture = await pathOf(session.drafts[checkedPlace(session, place)], server);
    const captioner = await server.captioner();
    const { prefix, ...flags } = options;
    const asked = captionOptions({ ...flags, prompt: prefix }, captioner.defaults);
    const { signal } = server;
    const written = await captioner.caption(picture, { ...asked, signal });
    session.addCandidates(place, candidatesOf(written));
    return context.json(rowOf(session, place));
  });
  app.post('/review/write', async (context) => {
    const { written, conflicts } = await session.write(path);
    const answer: WriteAnswer = {
      target: session.source.target,
      written,
      conflicts: conflicts.map(({ file }) => file),
    };
    return context.json(answer);
  });
}

function candidatesOf({ captions }: ImageCaption): Candidate[] {
  return captions.map(({ text, meanLogprob, confidence }) => ({
    text,
    confidence: confidence ?? Math.exp(meanLogprob),
  }));
}

function stateOf({ session, path, by, model, comparison }: ReviewContext): ReviewState {
  return {
    ...{ source: path, by, model },
    total: session.drafts.length,
    decided: decidedCount(session),
    hasDependence: session.drafts.some(({ dependence }) => dependence !== undefined),
    compared: comparison.done,
  };
}

function decidedCount(session: ReviewSession): number {
  return session.decisions().filter(({ verdict }) => verdict !== 'skipped').length;
}

function rowOf(session: ReviewSession, place: number): ReviewRow {
  const draft = session.drafts[place];
  const decision = session.decisionOf(draft);
  const group = session.groups?.[place];
  return {
    place,
    file: draft.file,
    candidates: session.candidatesOf(place),
    ...(draft.dependence !== undefined && { dependence: draft.dependence }),
    ...(decision && {
      decision: {
        verdict: decision.verdict,
        text: decision.text,
        by: decision.by,
        when: decision.when,
      },
    }),
    ...(group !== undefined && { group }),
  };
}

async function pathOf(draft: DraftCaption, { session }: ReviewContext): Promise<string> {
  const path = await findPicture(draft, session.source.folders);
  if (path !== undefined) return path;
  throw new HttpError(
    404,
    `${draft.file}: the picture is not there; name its folder with --images.`,
  );
}

function checkedPlace(session: ReviewSession, place: number): number {
  if (Number.isInteger(place) && place >= 0 && place < session.drafts.length) return place;
  throw new HttpError(404, `There is no draft ${place}.`);
}

function wholeNumber(context: Context, name: string): number {
  const value = Number(context.req.query(name) ?? Number.NaN);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new HttpError(400, `${name} should be a whole number.`);
}

async function bodyOf(context: Context): Promise<unknown> {
  return parseJsonBody(await readBody(context.req.raw, mostBody));
}
