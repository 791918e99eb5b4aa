/**
 * Mixed load on `refcap serve`, over the tiny model: good and bad pictures, small and large, several options and
 * interfaces, clients that go away. Each answer is looked at.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { z } from 'zod';
import { createRandom, type Random } from '../../src/base/random.ts';
import { type ServerProcess, startServe, tiny } from './server-process.ts';

/** What a stretch of time was like. */
export interface LoadSample {
  /** Since the load began. */
  readonly seconds: number;
  /** Resident memory of the server, in bytes. */
  readonly memory: number;
  /** Requests that were answered as they ought to be. */
  readonly answered: number;
  /** Milliseconds of plain requests of a small picture: the median and the 99th percentile. */
  readonly p50: number;
  readonly p99: number;
  /** The longest that /health/live took, in milliseconds. */
  readonly health: number;
}

export interface LoadReport {
  readonly exitCode: number | null;
  /** How often each kind of request was answered as it ought to be. */
  readonly answered: Readonly<Record<string, number>>;
  /** Requests for which the queue was full. */
  readonly refused: number;
  /** What was answered otherwise, and lines of the log that are none. */
  readonly wrong: readonly string[];
  readonly samples: readonly LoadSample[];
}

export interface LoadOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Seconds of each sample. */
  readonly window: number;
  readonly onSample?: (sample: LoadSample) => void;
}

const clients = 8;
const maxBody = 4 * 2 ** 20;
const names = ['owl-1', 'cat-0', 'parrot-1', 'rocket-0'];
const captionsSchema = z.object({
  results: z.array(z.object({ caption: z.string().optional(), error: z.unknown().optional() })),
});

/** The queue was full, and the client was told when to come again. */
class Refused extends Error {}

interface Load {
  readonly url: string;
  readonly random: Random;
  readonly small: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[];
  readonly large: Uint8Array<ArrayBuffer>;
  /** Captions of small pictures when they were first written. */
  readonly known: Map<string, string>;
  /** Milliseconds of plain requests in this window. */
  readonly times: number[];
}

/** @throws Error with a sentence where the answer is not as it ought to be */
type Kind = (load: Load) => Promise<unknown>;

/** Kinds of requests, with how often each comes among a hundred. */
const kinds: Readonly<Record<string, { readonly share: number; readonly ask: Kind }>> = {
  plain: { share: 30, ask: askPlain },
  options: { share: 15, ask: askWithOptions },
  stream: { share: 10, ask: askStream },
  form: { share: 8, ask: askForm },
  large: { share: 5, ask: askLarge },
  openai: { share: 6, ask: askOpenAi },
  ollama: { share: 6, ask: askOllama },
  explanation: { share: 2, ask: askExplanation },
  'no picture': {
    share: 4,
    ask: (load) => expectStatus(load, post('image/png', 'no picture'), 422),
  },
  'cut picture': { share: 3, ask: askCut },
  'bad option': {
    share: 2,
    ask: (load) => expectStatus(load, post('image/png', load.small[0].bytes), 400, '?beams=0'),
  },
  'too large': { share: 1, ask: askTooLarge },
  'gone away': { share: 8, ask: goAway },
};

function post(type: string, body: string | Uint8Array<ArrayBuffer> | FormData): RequestInit {
  return { method: 'POST', body, ...(type && { headers: { 'content-type': type } }) };
}

function json(value: unknown): RequestInit {
  return post('application/json', JSON.stringify(value));
}

/** Each on a connection of its own: one that is kept may be closed while this process waits for a processor. */
async function send(address: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('connection', 'close');
  return fetch(address, { ...init, headers });
}

async function expectStatus(
  { url }: Load,
  init: RequestInit,
  status: number,
  query = '',
  path = '/v1/captions',
): Promise<string> {
  const response = await send(`${url}${path}${query}`, init);
  const text = await response.text();
  if (response.status === 503 && response.headers.has('retry-after')) throw new Refused();
  if (response.status !== status) throw new Error(`${path}${query}: ${response.status} ${text}`);
  return text;
}

function oneOf<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random.next() * items.length)];
}

/** The caption must be the one that the picture had before, whatever else is in its batch. */
async function askPlain(load: Load): Promise<void> {
  const { name, bytes } = oneOf(load.small, load.random);
  const started = performance.now();
  const text = await expectStatus(load, post('image/png', bytes), 200, '?beams=1');
  load.times.push(performance.now() - started);
  const [{ caption = '' }] = captionsSchema.parse(JSON.parse(text)).results;
  const before = load.known.get(name) ?? caption;
  load.known.set(name, before);
  if (caption !== before) throw new Error(`${name}: "${caption}", before "${before}"`);
}

async function askWithOptions(load: Load): Promise<void> {
  const { random } = load;
  const query = oneOf(
    [
      '?beams=3&num-captions=2',
      '?beams=2&max-length=12&words=true',
      `?sample=true&seed=${Math.floor(random.next() * 1e6)}&top-p=0.9`,
      '?beams=1&words=dependence',
      '?beams=1&prefix=a',
    ],
    random,
  );
  await expectStatus(load, post('image/png', oneOf(load.small, random).bytes), 200, query);
}

async function askStream(load: Load): Promise<void> {
  const init = post('image/png', oneOf(load.small, load.random).bytes);
  const text = await expectStatus(load, init, 200, '?beams=1&stream=true');
  if (!text.includes('event: done')) throw new Error('a stream without its end');
}

/** Two pictures and something that is none: the pictures get their captions all the same. */
async function askForm(load: Load): Promise<void> {
  const form = new FormData();
  form.append('image', new Blob([load.small[0].bytes]), 'a.png');
  form.append('image', new Blob(['no picture']), 'b.png');
  form.append('image', new Blob([load.small[1].bytes]), 'c.png');
  const text = await expectStatus(load, post('', form), 200);
  const { results } = captionsSchema.parse(JSON.parse(text));
  const found = results.map(({ caption, error }) => [caption, error].map((it) => it !== undefined));
  const [good, bad] = [`${[true, false]}`, `${[false, true]}`];
  if (found.join(' ') !== [good, bad, good].join(' ')) throw new Error(`a form: ${text}`);
}

async function askLarge(load: Load): Promise<void> {
  await expectStatus(load, post('image/jpeg', load.large), 200, '?beams=1');
}

async function askOpenAi(load: Load): Promise<void> {
  const url = `data:image/png;base64,${base64(load)}`;
  const content = [{ type: 'image_url', image_url: { url } }];
  const body = { model: 'tiny', messages: [{ role: 'user', content }] };
  const text = await expectStatus(load, json(body), 200, '', '/v1/chat/completions');
  if (!text.includes('"role":"assistant"')) throw new Error(`chat: ${text}`);
}

async function askOllama(load: Load): Promise<void> {
  const body = { model: 'tiny', prompt: '', images: [base64(load)] };
  const text = await expectStatus(load, json(body), 200, '', '/api/generate');
  if (!text.includes('"done":true')) throw new Error(`generate: ${text}`);
}

function base64({ small, random }: Load): string {
  return Buffer.from(oneOf(small, random).bytes).toString('base64');
}

async function askExplanation(load: Load): Promise<void> {
  const init = post('image/png', load.small[0].bytes);
  await expectStatus(load, init, 200, '?maxNewTokens=4', '/v1/explanations');
}

async function askCut(load: Load): Promise<void> {
  await expectStatus(load, post('image/jpeg', load.large.slice(0, 500)), 422);
}

/** The server answers before all was sent. */
async function askTooLarge(load: Load): Promise<void> {
  await expectStatus(load, post('image/png', new Uint8Array(maxBody + 1)), 413);
}

async function goAway(load: Load): Promise<void> {
  const leave = new AbortController();
  const isStream = load.random.next() < 0.5;
  const init = { ...post('image/png', load.small[0].bytes), signal: leave.signal };
  const query = `?beams=3&min-length=20&max-length=20&stream=${isStream}`;
  const asked = expectStatus(load, init, 200, query).catch((error: unknown) => {
    if (!leave.signal.aborted) throw error;
  });
  const left = sleep(60 * load.random.next()).then(() => leave.abort());
  await Promise.all([asked, left]);
}

/** Loads a server of its own for so many seconds, stops it, and says what happened. */
export async function loadServer({
  seconds,
  seed,
  window,
  onSample,
}: LoadOptions): Promise<LoadReport> {
  const flags = ['--max-batch', '4', '--queue', '10', '--max-body', String(maxBody)];
  const server = startServe('--log-format', 'json', ...flags);
  const load = await startLoad(await server.url(), seed);
  const answered: Record<string, number> = {};
  const wrong: string[] = [];
  const samples: LoadSample[] = [];
  let refused = 0;
  const started = performance.now();
  const isOver = (): boolean => performance.now() - started >= 1000 * seconds;
  const client = async (): Promise<void> => {
    while (!isOver()) {
      const kind = kindOf(100 * load.random.next());
      try {
        await kinds[kind].ask(load);
        answered[kind] = (answered[kind] ?? 0) + 1;
      } catch (error) {
        if (error instanceof Refused) refused += 1;
        else wrong.push(`${kind}: ${told(error)}`);
      }
    }
  };
  const watch = async (): Promise<void> => {
    let before = 0;
    while (!isOver()) {
      const health = await watchHealth(load, Math.min(window, seconds));
      const memory = await memoryOf(load);
      const all = Object.values(answered).reduce((sum, count) => sum + count, 0);
      const times = load.times.splice(0).sort((a, b) => a - b);
      const at = (share: number): number => times[Math.floor(share * times.length)] ?? 0;
      const passed = (performance.now() - started) / 1000;
      const sample = { seconds: passed, memory, answered: all - before, health };
      before = all;
      samples.push({ ...sample, p50: at(0.5), p99: at(0.99) });
      onSample?.(samples[samples.length - 1]);
    }
  };
  await Promise.all([...Array.from({ length: clients }, client), watch()]);
  server.child.kill('SIGTERM');
  const exitCode = await server.ended;
  return { exitCode, answered, refused, wrong: [...wrong, ...faultsIn(server)], samples };
}

async function startLoad(url: string, seed: number): Promise<Load> {
  const read = async (name: string) => {
    const bytes = new Uint8Array(await readFile(join(tiny, `images/${name}.png`)));
    return { name, bytes };
  };
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  const size = { width: 3000, height: 2000, channels: 3, noise } as const;
  const large = await sharp({ create: { ...size, background: 'grey' } })
    .jpeg()
    .toBuffer();
  const random = createRandom(seed);
  const small = await Promise.all(names.map(read));
  return { url, random, small, large: new Uint8Array(large), known: new Map(), times: [] };
}

/** What went wrong, with what was behind it: of `fetch failed` it alone says anything. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${told(error.cause)}`;
}

function kindOf(place: number): string {
  let left = place;
  for (const [kind, { share }] of Object.entries(kinds)) {
    left -= share;
    if (left < 0) return kind;
  }
  return 'plain';
}

/** Asks for the server's health for so many seconds, and gives the longest that it took, in milliseconds. */
async function watchHealth({ url }: Load, seconds: number): Promise<number> {
  const end = performance.now() + 1000 * seconds;
  let longest = 0;
  while (performance.now() < end) {
    const asked = performance.now();
    await (await send(`${url}/health/live`)).text();
    longest = Math.max(longest, performance.now() - asked);
    await sleep(200);
  }
  return longest;
}

async function memoryOf({ url }: Load): Promise<number> {
  const text = await (await send(`${url}/metrics`)).text();
  const [, bytes] = /^process_resident_memory_bytes (\S+)$/m.exec(text) ?? [];
  return Number(bytes);
}

const logSchema = z.object({ path: z.string(), status: z.number() });

/** Lines of the log that no request has: warnings, stack traces; and answers that are the server's fault. */
function faultsIn({ lines }: ServerProcess): string[] {
  return lines.slice(1).filter((line) => {
    const entry = line.startsWith('{') ? logSchema.safeParse(JSON.parse(line)) : undefined;
    return !entry?.success || (entry.data.status >= 500 && entry.data.status !== 503);
  });
}
