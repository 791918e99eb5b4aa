/** Where a worker thread's module is. */

/**
 * The built file of the module `name` beside the file at `from`. Threads run JavaScript: of a file that
 * runs as TypeScript, that in dist/.
 */
export function threadModule(name: string, from: string): URL {
  const built = from.endsWith('.ts') ? from.replace(/\/src\/(?!.*\/src\/)/, '/dist/') : from;
  return new URL(`./${name}.js`, built);
}
