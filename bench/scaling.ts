/**
 * What training with several machines would gain: `npm run bench -- scaling` measures how long two ranks take to add their
 * gradients up here (Open MPI over shared memory), checks the model of an exchange against sizes that it was not fitted to,
 * and lays out BLIP-base on 1 to 64 machines behind networks of 1, 10 and 100 Gbit/s.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { peersOver } from '../src/train/distributed/collectives.ts';
import { type Exchange, exchangeSeconds } from '../src/train/distributed/exchange.ts';
import { openMpi } from '../src/train/distributed/mpi.ts';
import { machine, median, printTable } from './measure.ts';

const usage = `Usage: npm run bench -- scaling [--values N] [--seconds S] [--batch N] [--latency MICROSECONDS]
  --values   trained values of the model (default: BLIP-base's 223,000,000)
  --seconds  of a machine's step of --batch pictures (default: 19.9 of 16, docs/performance.md)`;

export async function run(args: readonly string[]): Promise<number> {
  const { values: flags } = parseArgs({
    args: [...args],
    options: {
      worker: { type: 'string' },
      values: { type: 'string', default: '223000000' },
      seconds: { type: 'string', default: '19.9' },
      batch: { type: 'string', default: '16' },
      latency: { type: 'string', default: '50' },
    },
  });
  if (flags.worker !== undefined) return work(flags.worker.split(',').map(Number));
  const numbers = [flags.values, flags.seconds, flags.batch, flags.latency].map(Number);
  if (!numbers.every((number) => number > 0)) {
    console.error(usage);
    return 2;
  }
  const [values, seconds, batch, latency] = numbers;
  console.log(machine());
  const local = fitted();
  printTable(...scaling(values, seconds, batch, { ...local, latency: latency / 1e6 }));
  return 0;
}

/** One of two ranks: prints the seconds of each size, the first rank alone. */
async function work(sizes: readonly number[]): Promise<number> {
  const mpi = await openMpi();
  const peers = peersOver(mpi);
  const found: number[] = [];
  for (const size of sizes) {
    const values = new Float32Array(size).fill(peers.rank + 0.5);
    const seconds: number[] = [];
    for (let i = 0; i < 6; i++) {
      await mpi.meet();
      const started = performance.now();
      await peers.addUp(values);
      seconds.push((performance.now() - started) / 1000);
    }
    found.push(median(seconds.slice(1)));
  }
  if (mpi.rank === 0) console.log(JSON.stringify(found));
  mpi.finish();
  return 0;
}

/** The exchange of two ranks here, from its smallest and largest size; prints what that says of those between. */
function fitted(): Exchange {
  const sizes = [2 ** 20, 2 ** 22, 2 ** 23, 2 ** 24, 2 ** 25];
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    'mpirun',
    [
      ...['--allow-run-as-root', '--oversubscribe', '-n', '2', process.execPath],
      ...['--import', 'tsx', main, 'scaling', '--worker', sizes.join(',')],
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`two ranks could not be run: ${stderr}`);
  const found = JSON.parse(stdout) as number[];
  // Shared memory is no network: what it copies is counted as work.
  const work = (found[4] - found[0]) / (sizes[4] - sizes[0]);
  const meeting = Math.max(0, found[0] - work * sizes[0]);
  const exchange = { width: 4, meeting, work, bandwidth: Infinity, latency: 0 };
  printTable(
    ['values added up by 2 ranks', 'seconds', 'the model says'],
    sizes.map((size, i) => [
      size.toLocaleString('en'),
      found[i].toFixed(4),
      exchangeSeconds(2, size, exchange).toFixed(4),
    ]),
  );
  return exchange;
}

function scaling(
  values: number,
  seconds: number,
  batch: number,
  local: Exchange,
): [string[], string[][]] {
  const rows = [1, 10, 100].flatMap((gigabits) =>
    [1, 8].flatMap((parts) =>
      [4, 2].map((width) => {
        const exchange = { ...local, width, bandwidth: (gigabits * 1e9) / 8 };
        const cells = [2, 4, 8, 16, 32, 64].map((ranks) => {
          const compute = parts * seconds;
          const step = compute + exchangeSeconds(ranks, values, exchange);
          return `${((ranks * compute) / step).toFixed(1)}`;
        });
        const wire = width === 4 ? 'f32' : 'bf16';
        return [`${gigabits} Gbit/s`, `${parts * batch}`, wire, ...cells];
      }),
    ),
  );
  const machines = [2, 4, 8, 16, 32, 64].map((ranks) => `${ranks} machines`);
  return [['network', 'pictures of a machine in a step', 'wire', ...machines], rows];
}
