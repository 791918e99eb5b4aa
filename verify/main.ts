/** The conformance runner: `npm run verify -- SUBJECT PATH` compares the project with reference data. */

interface Verifier {
  /** Returns the exit code: 0 if all agrees. */
  run(args: readonly string[]): Promise<number>;
}

/** What can be verified, each loaded only when asked for. */
const subjects: Readonly<Record<string, () => Promise<Verifier>>> = {
  blip: () => import('./blip.ts'),
  explain: () => import('./explain.ts'),
  metrics: () => import('./metrics.ts'),
  preprocess: () => import('./preprocess.ts'),
  tokenizer: () => import('./tokenizer.ts'),
};

const [subject = '', ...args] = process.argv.slice(2);
const load = Object.hasOwn(subjects, subject) ? subjects[subject] : undefined;
if (load) {
  process.exitCode = await (await load()).run(args);
} else {
  console.error(`Usage: npm run verify -- ${Object.keys(subjects).join('|')} PATH`);
  process.exitCode = 2;
}
