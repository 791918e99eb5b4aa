/**
 * What a server makes of a model: pictures a second and the time of a request with 1, 8 and 32 clients, against the
 * command's rate in the same run, the ways taking turns.
 */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Captioner } from '../src/caption/captioner.ts';
import type { CaptionSink } from '../src/caption/output/output.ts';
import { captionRun } from '../src/caption/run.ts';
import { listInputs } from '../src/caption/sources/inputs.ts';
import { baseSizedModel } from './base-sized-model.ts';
import { machine, median, printTable } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const samples = join(root, 'samples');

/** `npm run bench -- serve [--repeats 3] [--clients 1,8,32] [--pictures 64] [--tasks base,small]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repeats: { type: 'string', default: '3' },
      clients: { type: 'string', default: '1,8,32' },
      pictures: { type: 'string', default: '64' },
      tasks: { type: 'string', default: 'small,base' },
    },
  });
  console.log(machine());
  const clients = values.clients.split(',').map(Number);
  const tasks = values.tasks.split(',');
  const [repeats, pictures] = [Number(values.repeats), Number(values.pictures)];
  const rows: string[][] = [];
  if (tasks.includes('small'))
    rows.push(...(await measure('refcap-small', 'refcap-small', { clients, repeats, pictures })));
  if (tasks.includes('base'))
    rows.push(
      ...(await measure('BLIP base', await baseSizedModel(), { clients, repeats, pictures })),
    );
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
}

/** A turn: pictures a second, the time of each request in ms, and the longest that /health/live took. */
interface Turn {
  readonly rate: number;
  readonly times: readonly number[];
  readonly health: number;
}

async function measure(
  name: string,
  model: string,
  { clients, repeats, pictures }: Settings,
): Promise<string[][]> {
  const photos = (await readdir(samples)).filter((file) => file.endsWith('.jpg'));
  const files = Array.from({ length: pictures }, (_, i) =>
    join(samples, photos[i % photos.length]),
  );
  const server = await startServer(model);
  const captioner = await Captioner.load(model, { workers: 1 });
  const command: number[] = [];
  const turns = clients.map((): Turn[] => []);
  try {
    for (let turn = 0; turn <= repeats; turn++) {
      const rate = await commandRate(captioner, files);
      if (turn > 0) command.push(rate);
      for (const [i, count] of clients.entries()) {
        const one = await serverTurn(server.url, files, count);
        if (turn > 0) turns[i].push(one);
      }
    }
  } finally {
    captioner[Symbol.dispose]();
    server.stop();
  }
  const own = median(command);
  return [
    [name, 'command', own.toFixed(2), '1.00', '', '', ''],
    ...clients.map((count, i) => {
      const rate = median(turns[i].map((turn) => turn.rate));
      const times = turns[i].flatMap((turn) => turn.times).sort((a, b) => a - b);
      const p99 = times[Math.min(times.length - 1, Math.floor(0.99 * times.length))];
      const health = Math.max(...turns[i].map((turn) => turn.health));
      const shown = [median(times), p99, health].map((ms) => ms.toFixed(0));
      return [name, String(count), rate.toFixed(2), (rate / own).toFixed(2), ...shown];
    }),
  ];
}

/** Pictures a second of what `refcap caption` does. */
async function commandRate(captioner: Captioner, files: readonly string[]): Promise<number> {
  const nowhere: CaptionSink = {
    has: async () => false,
    write: async () => undefined,
    finish: async () => undefined,
  };
  const started = performance.now();
  await captionRun(captioner, listInputs(files), nowhere, {
    options: {},
    batchSize: 4,
    failFast: true,
  });
  return (1000 * files.length) / (performance.now() - started);
}

async function serverTurn(url: string, files: readonly string[], clients: number): Promise<Turn> {
  const waiting = await Promise.all(files.map((file) => readFile(file)));
  const times: number[] = [];
  let health = 0;
  const pulse = setInterval(async () => {
    const asked = performance.now();
    await fetch(`${url}/health/live`);
    health = Math.max(health, performance.now() - asked);
  }, 100);
  const started = performance.now();
  const client = async (): Promise<void> => {
    for (let body = waiting.pop(); body; body = waiting.pop()) {
      const asked = performance.now();
      const headers = { 'content-type': 'image/jpeg' };
      const response = await fetch(`${url}/v1/captions`, { method: 'POST', body, headers });
      if (!response.ok) throw new Error(await response.text());
      await response.text();
      times.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const rate = (1000 * files.length) / (performance.now() - started);
  clearInterval(pulse);
  return { rate, times, health };
}

/** The server in a process of its own. */
async function startServer(model: string): Promise<{ url: string; stop: () => void }> {
  const main = join(root, 'dist/cli/main.js');
  const args = [main, 'serve', '--model', model, '--port', '0', '--log-format', 'none'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of createInterface({ input: child.stderr })) {
    const [, url] = /^refcap: serving .* at (http:\S+)$/.exec(line) ?? [];
    if (url === undefined) throw new Error(line);
    return { url, stop: () => child.kill('SIGTERM') };
  }
  throw new Error('the server ended before it listened');
}
