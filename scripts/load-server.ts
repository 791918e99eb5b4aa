/**
 * Mixed load on `refcap serve` over the tiny model: `npx tsx scripts/load-server.ts [MINUTES] [SEED]`. Prints a line
 * for each half minute, and exits with 1 where an answer was wrong, or the server's memory grew: its median in the
 * last quarter of the time over that in the second.
 */
import { median } from '../bench/measure.ts';
import { type LoadSample, loadServer } from '../test/cli/load-server.ts';

const [minutes, seed] = [Number(process.argv[2] ?? 60), Number(process.argv[3] ?? 1)];

/** Of the second quarter, when it is warm. */
const mostGrowth = 1.05;

function show({ seconds, memory, answered, p50, p99, health }: LoadSample): void {
  const [middle, slow, live] = [p50, p99, health].map((ms) => `${ms.toFixed(0)} ms`);
  console.log(
    `${seconds.toFixed(0)} s: ${(memory / 2 ** 20).toFixed(0)} MiB, ${answered} answered, plain ${middle} (p99 ${slow}), health at most ${live}`,
  );
}

const report = await loadServer({ seconds: 60 * minutes, seed, window: 30, onSample: show });
const { answered, refused, wrong, samples, exitCode } = report;
const quarter = (from: number): readonly LoadSample[] =>
  samples.slice(Math.floor(from * samples.length), Math.ceil((from + 0.25) * samples.length));
const memory = [0.25, 0.75].map((from) => median(quarter(from).map((sample) => sample.memory)));
const times = [0.25, 0.75].map((from) => median(quarter(from).map((sample) => sample.p50)));
const growth = memory[1] / memory[0];
console.log(JSON.stringify(answered));
console.log(`${refused} refused by a full queue, ${wrong.length} wrong, exit code ${exitCode}`);
for (const line of wrong.slice(0, 20)) console.log(`  ${line}`);
console.log(`memory, last quarter over second: ${growth.toFixed(3)}`);
console.log(`plain request, last quarter over second: ${(times[1] / times[0]).toFixed(3)}`);
process.exitCode = wrong.length === 0 && exitCode === 0 && growth <= mostGrowth ? 0 : 1;
