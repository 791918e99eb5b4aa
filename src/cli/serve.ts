/** `refcap serve`: captions over HTTP. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from '@commander-js/extra-typings';
import { InputError, UsageError } from '../base/errors.ts';
import { isThere } from '../base/files.ts';
import type { Captioner } from '../caption/captioner.ts';
import { bundledModel } from '../hub/bundled.ts';
import { type LogFormat, logFormats, logLine } from '../server/http/log.ts';
import { describeModel } from '../server/model.ts';
import { isLoopbackHost } from '../server/safety/address.ts';
import { type ServerOptions, startServer } from '../server/start.ts';
import { loadCaptioner, type ModelFlags } from './options/captioner.ts';
import { type OpenedConcepts, openConcepts } from './options/concepts.ts';
import { baseOption, offlineOption, revisionOption, verboseOption } from './options/hub.ts';
import {
  deviceOption,
  imageSizeOption,
  membersOption,
  quantizeOption,
  threadsOption,
} from './options/model.ts';
import { portNumber, positive, repeated, whole } from './options/values.ts';

interface Flags extends ModelFlags {
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

const help = `
The server answers this machine alone, unless --host says otherwise: then it asks for a token, which clients send as
Authorization: Bearer TOKEN. It speaks its own interface, and those of OpenAI, Ollama, PhotoPrism and Hugging Face:
docs/serve.md shows them, GET /docs lists them.

SIGTERM and Ctrl-C stop it: what was taken is finished first. A second one ends it at once.

Examples:
  refcap serve
  refcap serve --model Salesforce/blip-image-captioning-base --port 11434
  refcap serve --host 0.0.0.0 --token token.txt

Exit codes: 0 stopped, 1 failed, 2 wrong usage.`;

export const command = new Command('serve')
  .summary('answer requests for captions over HTTP')
  .description('Caption pictures that others send over HTTP.')
  .option('-m, --model <model>', 'model folder or file, bundled model, or hub id', bundledModel)
  .addOption(revisionOption())
  .addOption(offlineOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addOption(deviceOption())
  .addOption(threadsOption('of each worker'))
  .option('--workers <n>', 'batches at a time, each in a thread', positive, 1)
  .addOption(imageSizeOption())
  .addOption(quantizeOption())
  .addOption(membersOption())
  .option('--concepts <file>', 'names that may appear, a line each (of models with concepts)')
  .option('--host <address>', 'address to listen at; 0.0.0.0: all of this machine', '127.0.0.1')
  .option('--port <n>', 'port to listen at; 0: any that is free', portNumber, 8080)
  .addOption(
    new Option('--token <token>', 'what clients must show: the token, or a file that holds it').env(
      'REFCAP_TOKEN',
    ),
  )
  .option('--no-token', 'answer everybody who can reach --host')
  .option('--cors <origin>', 'pages of this origin may use the server; may be repeated', repeated)
  .option('--allow-url', 'fetch http(s) addresses in requests')
  .option('--max-batch <n>', 'pictures at a time', positive, 8)
  .option('--max-delay <ms>', 'how long a batch waits for pictures on their way', whole, 10)
  .option('--queue <n>', 'pictures that may wait', positive, 64)
  .option('--timeout <s>', 'how long a picture may wait', positive, 60)
  .option('--max-body <bytes>', 'largest request', positive, 32 * 2 ** 20)
  .option('--max-pixels <n>', 'largest picture, in pixels', positive, 2 ** 26)
  .addOption(
    new Option('--log-format <format>', 'how requests are logged, on the standard error')
      .choices(logFormats)
      .default('text'),
  )
  .addHelpText('after', help)
  .action(run);

async function run(flags: Flags): Promise<void> {
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
async function conceptsOf({ concepts: path }: Flags): Promise<OpenedConcepts | undefined> {
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
  flags: Flags,
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
async function tokenOf({ token }: Flags): Promise<string | undefined> {
  if (token === undefined || token === false) return undefined;
  const text = (await isThere(token)) ? await readFile(token, 'utf8') : token;
  const [line] = text.trim().split('\n');
  if (line.trim() === '') throw new UsageError('--token: the token is empty.');
  return line.trim();
}
