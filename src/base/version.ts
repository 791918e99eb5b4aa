/** The project's version, from its package.json. */
import { readFileSync } from 'node:fs';

/** Such as '0.1.0'. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version: own }: { version: string } = JSON.parse(text);
  return own;
}
