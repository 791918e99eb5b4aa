/** A lock file that keeps two programs from working in one folder. */
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { InputError } from './errors.ts';
import { errorCode } from './files.ts';

/** Who holds a lock, as the file says. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the system's own words: tells a reused number from the holder. */
  readonly started: string;
}

/**
 * Takes `lock` in the folder until it is disposed of. A lock whose process is gone is taken over.
 * @throws InputError naming the process that holds it
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const path = join(folder, 'lock');
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    started: await startOf(process.pid),
  };
  const text = `${JSON.stringify(own)}\n`;
  const temporary = join(folder, `.lock.${process.pid}.${Math.round(performance.now() * 1e6)}.tmp`);
  await writeFile(temporary, text);
  try {
    // A link to a whole file is made or refused at once: nobody reads half a lock.
    for (let tries = 0; ; tries++) {
      try {
        await link(temporary, path);
        break;
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
      const found = await readFile(path, 'utf8').catch(() => undefined);
      if (found === undefined) continue;
      const holder = parse(found);
      if (tries >= 20 || (holder && (await isAlive(holder))))
        throw new InputError(
          `${folder}: in use by process ${holder?.pid ?? '?'} on ${holder?.host ?? 'an unknown machine'}; wait for it, stop it, or choose another folder (if it is surely gone, remove ${path}).`,
        );
      // Only the lock that was looked at is removed, not one that another took in the meantime.
      if ((await readFile(path, 'utf8').catch(() => undefined)) === found)
        await rm(path, { force: true });
    }
  } finally {
    await rm(temporary, { force: true });
  }
  return {
    async [Symbol.asyncDispose]() {
      if ((await readFile(path, 'utf8').catch(() => undefined)) === text)
        await rm(path, { force: true });
    },
  };
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, host, started } = JSON.parse(text);
    return { pid: Number(pid), host: String(host), started: String(started) };
  } catch {
    return undefined;
  }
}

/** Whether the holder may still be at work; another machine's cannot be asked. */
async function isAlive({ pid, host, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  return (await startOf(pid)) === started;
}

/** The start time of a process where the system tells it, else nothing. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold spaces; the start time is the 20th field behind it.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
