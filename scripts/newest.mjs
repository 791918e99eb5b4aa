/** When files were changed last: what was built from them before is out of date. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds; 0 where nothing is there. */
export const time = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** Of a folder and all below it. */
export function newest(folder) {
  let latest = time(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : time(path));
  }
  return latest;
}
