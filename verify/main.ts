/** The conformance runner: `npm run verify -- NAME PATH` checks this project against reference cases. */

/** Each check resolves to whether everything agrees; it prints its table itself. */
interface Check {
  verify(path: string): Promise<boolean>;
}

const checks: Record<string, () => Promise<Check>> = {
  preprocess: () => import('./preprocess.ts'),
  tokenizer: () => import('./tokenizer.ts'),
};

const [name = '', path] = process.argv.slice(2);
const load = Object.hasOwn(checks, name) ? checks[name] : undefined;
if (load === undefined || path === undefined) {
  console.error(`usage: npm run verify -- ${Object.keys(checks).join('|')} PATH`);
  process.exitCode = 2;
} else {
  try {
    if (!(await (await load()).verify(path))) process.exitCode = 1;
  } catch (error) {
    console.error(`verify: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
