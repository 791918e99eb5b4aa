/** `npm run rooms`: checks what the rooms of src/ import. */
import { fileURLToPath } from 'node:url';
import { violations } from './cruise.ts';
import { rooms } from './rooms.ts';

const found = await violations(fileURLToPath(new URL('../..', import.meta.url)), rooms);
for (const violation of found) console.error(violation);
if (found.length > 0) {
  console.error(`${found.length} imports break the rules of scripts/rooms/.`);
  process.exitCode = 1;
}
