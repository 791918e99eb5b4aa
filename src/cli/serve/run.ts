/** The work of `refcap serve`: opens the model, listens, and stops when it is told to. */
import { readFile } from 'node:fs/promises';
import { InputError, UsageError } from '../../base/errors.ts';
import { isThere } from '../../base/files.ts';
import type { Captioner } from '../../caption/captioner.ts';
import { type LogFormat, logLine } from '../../server/http/log.ts';
import { describeModel } from '../../server/model.ts';
import { isLoopbackHost } from '../../server/safety/address.ts';
import { type ServerOptions, startServer } from '../../server/start.ts';
import { loadCaptioner, type ModelFlags } from '../options/captioner.ts';
import { type OpenedConcepts, openConcepts } from '../options/concepts.ts';

export interface ServeFlags extends ModelFlags {
  workers: number;
  concepts?: string;
  host: string;
  port: number;
  /** False with --no-token. */
  token?: string | false;
  cors?: string[];
  allowUrl?: true;
  maxBatch: number;
  maxDelay: number;
  queue: number;
  timeout: number;
  maxBody: number;
  maxPixels: number;
  logFormat: LogFormat;
}

/** @throws InputError where the model cannot be opened, or the address is taken */
export async function runServe(flags: ServeFlags): Promise<void> {
  const token = await tokenOf(flags);
  const isLoopback = isLoopbackHost(flags.host);
  if (!isLoopback && token === undefined && flags.token !== false)
    throw new UsageError(
      `--host ${flags.host} lets others reach the server: add --token (or --no-token, to answer everybody).`,
    );
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const concepts = await conceptsOf(flags);
    using captioner = await loadCaptioner({ ...flags, conceptFile: concepts?.file }, stop.signal);
    concepts?.check(captioner);
    if (!stop.signal.aborted) await serve(captioner, flags, { token, isLoopback }, stop.signal);
  } catch (error) {
    // Stopped while the model was downloaded.
    if (!stop.signal.aborted || error instanceof InputError) throw error;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** @throws UsageError for scores of pictures, of which a server knows no names */
async function conceptsOf({ concepts: path }: ServeFlags): Promise<OpenedConcepts | undefined> {
  if (path === undefined) return undefined;
  const concepts = await openConcepts(path);
  if (concepts.file.kind === 'scores')
    throw new UsageError(
      `--concepts ${path}: this file has scores for pictures, which clients send without their names; give a list of names.`,
    );
  return concepts;
}

async function serve(
  captioner: Captioner,
  flags: ServeFlags,
  access: Pick<ServerOptions, 'token' | 'isLoopback'>,
  signal: AbortSignal,
): Promise<void> {
  const server = await startServer(captioner, {
    ...flags,
    ...access,
    model: await describeModel(flags.model, flags.revision, captioner.config),
    timeout: 1000 * flags.timeout,
    maxBytes: flags.maxBody,
    cors: flags.cors ?? [],
    allowUrl: flags.allowUrl ?? false,
    log: logTo(flags.logFormat),
    onFault: (error) => console.error('refcap:', error),
  });
  console.error(`refcap: serving ${flags.model} at ${server.url}`);
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  await server.stop();
}

function logTo(format: LogFormat): ServerOptions['log'] {
  if (format === 'none') return () => undefined;
  const line = logLine[format];
  return (entry) => console.error(line(entry));
}

/** The token, or the first line of the file that is named. @throws UsageError where it is empty */
async function tokenOf({ token }: ServeFlags): Promise<string | undefined> {
  if (token === undefined || token === false) return undefined;
  const text = (await isThere(token)) ? await readFile(token, 'utf8') : token;
  const [line] = text.trim().split('\n');
  if (line.trim() === '') throw new UsageError('--token: the token is empty.');
  return line.trim();
}
