/** Tries for a folder's lock over and over; whoever holds it is alone, or says so, and now and then dies with it. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../../src/base/errors.ts';
import { lockFolder } from '../../../src/base/lock.ts';

const [folder, deaths] = process.argv.slice(2);
const alone = join(folder, 'alone');
let held = 0;
for (let tries = 0; tries < 400 && held < 12; tries++) {
  const lock = await lockFolder(folder).catch((error: unknown) => {
    if (error instanceof InputError) return undefined;
    throw error;
  });
  if (!lock) {
    await sleep(1 + Math.random() * 4);
    continue;
  }
  held += 1;
  try {
    closeSync(openSync(alone, 'wx'));
  } catch {
    console.log('two holders');
  }
  await sleep(Math.random() * 3);
  rmSync(alone, { force: true });
  // As a kill does: the lock stays.
  if (held === 4 && deaths === 'dies') process.exit(0);
  await lock[Symbol.asyncDispose]();
}
console.log(`held ${held}`);
