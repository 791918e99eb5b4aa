/** The project's version, from its package.json. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Such as '0.1.0'. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return z.looseObject({ version: z.string() }).parse(JSON.parse(text)).version;
}
