/**
 * What a server makes of a model: pictures a second and the time of a request with 1, 8 and 32 clients, against the
 * command's rate in the same run, the ways taking turns; of the bundled model also beside transformers.js behind node:http.
 * With one client each picture is captioned by the command's run alone as well, for the time that it takes then.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Captioner } from '../src/caption/captioner.ts';
import type { CaptionOptions } from '../src/caption/options.ts';
import type { CaptionSink } from '../src/caption/output/output.ts';
import { captionRun } from '../src/caption/run.ts';
import { listInputs } from '../src/caption/sources/inputs.ts';
import { exportModel } from '../src/export/export.ts';
import { baseSizedModel } from './base-sized-model.ts';
import { machine, median, printTable } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const samples = join(root, 'samples');

/** `npm run bench -- serve [--repeats 3] [--clients 1,8,32] [--pictures 128] [--tasks base,small] [--threads N] [--peer]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repeats: { type: 'string', default: '3' },
      clients: { type: 'string', default: '1,8,32' },
      pictures: { type: 'string', default: '128' },
      tasks: { type: 'string', default: 'small,base' },
      threads: { type: 'string' },
      peer: { type: 'boolean', default: false },
    },
  });
  console.log(machine());
  const clients = values.clients.split(',').map(Number);
  const tasks = values.tasks.split(',');
  const settings: Settings = {
    clients,
    repeats: Number(values.repeats),
    pictures: Number(values.pictures),
    ...(values.threads !== undefined && { threads: Number(values.threads) }),
  };
  const rows: string[][] = [];
  if (tasks.includes('small')) {
    const model = 'refcap-small';
    rows.push(...(await measure({ name: model, model, hasPeer: values.peer }, settings)));
  }
  if (tasks.includes('base')) {
    const model = await baseSizedModel();
    rows.push(...(await measure({ name: 'BLIP base', model, hasPeer: false }, settings)));
  }
  const header = [
    '',
    'clients',
    'pictures a second',
    'ratio',
    'request p50, ms',
    'p99',
    'health max',
  ];
  printTable(header, rows);
  return 0;
}

interface Settings {
  readonly clients: readonly number[];
  readonly repeats: number;
  readonly pictures: number;
  readonly threads?: number;
}

interface Task {
  readonly name: string;
  readonly model: string;
  /** Beside transformers.js, which writes greedily; so does refcap then. */
  readonly hasPeer: boolean;
}

/** A server that takes a picture's bytes. */
interface Server {
  readonly name: string;
  readonly url: string;
  /** Where pictures are sent. */
  readonly path: string;
  stop(): void;
}

/** A turn: pictures a second, the time of each in ms, and of a server the longest that /health/live took. */
interface Turn {
  readonly rate: number;
  readonly times: readonly number[];
  readonly health?: number;
}

async function measure(task: Task, settings: Settings): Promise<string[][]> {
  const { clients, repeats, pictures, threads } = settings;
  const { name, model, hasPeer } = task;
  const photos = (await readdir(samples)).filter((file) => file.endsWith('.jpg'));
  const files = Array.from({ length: pictures }, (_, i) =>
    join(samples, photos[i % photos.length]),
  );
  const options: CaptionOptions = hasPeer ? { num_beams: 1 } : {};
  const servers = await startServers(task, threads);
  const captioner = await Captioner.load(model, {
    workers: 1,
    ...(threads !== undefined && { threads }),
  });
  const command: number[] = [];
  /** Milliseconds of each picture alone. */
  const alone: number[] = [];
  const turns = servers.map(() => clients.map((): Turn[] => []));
  try {
    for (let turn = 0; turn <= repeats; turn++) {
      const rate = await commandRate(captioner, files, options);
      if (turn > 0) command.push(rate);
      for (const [i, count] of clients.entries())
        for (const [j, server] of servers.entries()) {
          const between = async (file: string): Promise<void> => {
            if (count > 1 || j > 0) return;
            const ms = 1000 / (await commandRate(captioner, [file], options));
            if (turn > 0) alone.push(ms);
          };
          const one = await serverTurn(server, files, count, between);
          if (turn > 0) turns[j][i].push(one);
        }
    }
  } finally {
    captioner[Symbol.dispose]();
    for (const server of servers) server.stop();
  }
  const own = median(command);
  return [
    [name, 'command', own.toFixed(2), '1.00', '', '', ''],
    ...(alone.length > 0 ? [[name, 'command, alone', ...figures([turnOf(alone)], own)]] : []),
    ...servers.flatMap((server, j) =>
      clients.map((count, i) => [
        `${name}, ${server.name}`,
        String(count),
        ...figures(turns[j][i], own),
      ]),
    ),
  ];
}

/** Pictures one after another. */
function turnOf(times: readonly number[]): Turn {
  const rate = (1000 * times.length) / times.reduce((sum, ms) => sum + ms, 0);
  return { rate, times };
}

/** Of a row: pictures a second, their ratio to the command's, the times of requests. */
function figures(turns: readonly Turn[], own: number): string[] {
  const rate = median(turns.map((turn) => turn.rate));
  const times = turns.flatMap((turn) => turn.times).sort((a, b) => a - b);
  const p99 = times[Math.min(times.length - 1, Math.floor(0.99 * times.length))];
  const health = Math.max(...turns.map((turn) => turn.health ?? 0));
  const shown = [median(times), p99, health].map((ms) => (ms === 0 ? '' : ms.toFixed(0)));
  return [rate.toFixed(2), (rate / own).toFixed(2), ...shown];
}

/** Pictures a second of what `refcap caption` does. */
async function commandRate(
  captioner: Captioner,
  files: readonly string[],
  options: CaptionOptions,
): Promise<number> {
  const nowhere: CaptionSink = {
    has: async () => false,
    write: async () => undefined,
    finish: async () => undefined,
  };
  const started = performance.now();
  await captionRun(captioner, listInputs(files), nowhere, {
    options,
    batchSize: 4,
    failFast: true,
  });
  return (1000 * files.length) / (performance.now() - started);
}

/** @param between done before each request of a client, and no part of its time */
async function serverTurn(
  { url, path }: Server,
  files: readonly string[],
  clients: number,
  between: (file: string) => Promise<void>,
): Promise<Turn> {
  const bodies = await Promise.all(files.map((file) => readFile(file)));
  const waiting = [...bodies.entries()];
  const times: number[] = [];
  let health = 0;
  const pulse = new Worker(new URL('./pulse.mjs', import.meta.url), { workerData: url });
  pulse.on('message', (ms: number) => {
    health = Math.max(health, ms);
  });
  await once(pulse, 'message');
  health = 0;
  const started = performance.now();
  const client = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [i, body] = next;
      await between(files[i]);
      const asked = performance.now();
      const headers = { 'content-type': 'image/jpeg' };
      const response = await fetch(`${url}${path}`, { method: 'POST', body, headers });
      if (!response.ok) throw new Error(await response.text());
      await response.text();
      times.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsed = performance.now() - started;
  await pulse.terminate();
  const { rate } = clients === 1 ? turnOf(times) : { rate: (1000 * files.length) / elapsed };
  return { rate, times, health };
}

/** The server, and the peer where there is one, each in a process of its own. */
async function startServers(
  { model, hasPeer }: Task,
  threads: number | undefined,
): Promise<Server[]> {
  const main = join(root, 'dist/cli/main.js');
  const args = [main, 'serve', '--model', model, '--port', '0', '--log-format', 'none'];
  // 32 clients of a slow machine may wait for more than a minute.
  args.push('--timeout', '600');
  if (threads !== undefined) args.push('--threads', String(threads));
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = await urlFrom(child.stderr);
  const path = `/v1/captions${hasPeer ? '?beams=1' : ''}`;
  const own: Server = { name: 'served', url, path, stop: () => child.kill('SIGTERM') };
  return hasPeer ? [own, await startPeer(model, threads)] : [own];
}

async function startPeer(model: string, threads: number | undefined): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'refcap-bench-serve-'));
  await exportModel(model, join(folder, model));
  const script = join(root, 'bench/peers/transformers-js.mjs');
  const args = [script, join(folder, model), ...(threads === undefined ? [] : [String(threads)])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await urlFrom(child.stdout);
  const stop = (): void => {
    child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  return { name: 'transformers.js', url, path: '/', stop };
}

/** The address in the first line of what a server writes. */
async function urlFrom(output: Readable): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const [url] = /http:\S+/.exec(line) ?? [];
    if (url === undefined) throw new Error(line);
    console.log(line);
    return url;
  }
  throw new Error('the server ended before it listened');
}
