/** `npm run bench -- NAME [options]`: loads and runs one benchmark. */
type Benchmark = { run(args: readonly string[]): Promise<void> };

const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  engine: () => import('./engine.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const load = benchmarks[name];
if (load) await (await load()).run(args);
else {
  console.error(`usage: npm run bench -- ${Object.keys(benchmarks).join('|')} [options]`);
  process.exitCode = 2;
}
