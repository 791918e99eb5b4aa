/** A lock file that keeps two programs from working in one folder. */
import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  return lockFile(join(folder, 'lock'), folder, 'choose another folder');
}

/**
 * Takes the lock file until it is disposed of, likewise.
 * @param locked what it keeps others from, for the message
 * @param otherwise what else can be done
 */
export async function lockFile(
  path: string,
  locked: string,
  otherwise: string,
): Promise<AsyncDisposable> {
  for (;;) {
    const taken = await take(path);
    if ('release' in taken) return { [Symbol.asyncDispose]: taken.release };
    const { holder } = taken;
    // A claim of another that is about to be over: see `take`.
    if (holder === undefined) await sleep(5);
    else
      throw new InputError(
        `${locked}: in use by process ${holder.pid} on ${holder.host}; wait for it, stop it, or ${otherwise} (if it is surely gone, remove ${path}).`,
      );
  }
}

type Taken = { release: () => Promise<void> } | { holder: Holder | undefined };

/**
 * Takes the lock file, or says who holds it; undefined: nobody any more, but another is at it.
 *
 * Only its holder removes a lock, or who has the claim to it when its holder is gone. The claim is a lock too, of a
 * name that comes from the text of the dead one, so that nobody who looked at it earlier can take the next one away.
 */
async function take(path: string): Promise<Taken> {
  const own: Holder = { pid: process.pid, host: hostname(), started: await startOf(process.pid) };
  const text = `${JSON.stringify({ ...own, id: randomUUID() })}\n`;
  if (await create(path, text)) return { release: () => removeIf(path, text) };
  const found = await readFile(path, 'utf8').catch(() => undefined);
  if (found === undefined) return { holder: undefined };
  const holder = parse(found);
  if (holder && (await isAlive(holder))) return { holder };
  const claim = await take(claimPath(path, found));
  if (!('release' in claim)) return { holder: undefined };
  await removeIf(path, found);
  const isMine = await create(path, text);
  await claim.release();
  return isMine ? { release: () => removeIf(path, text) } : { holder: undefined };
}

/** A link to a whole file is made or refused at once: nobody reads half a lock. @returns whether it was made */
async function create(path: string, text: string): Promise<boolean> {
  const temporary = join(dirname(path), `.lock.${process.pid}.${randomUUID()}.tmp`);
  await writeFile(temporary, text, { flag: 'wx' });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function removeIf(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text)
    await rm(path, { force: true });
}

function claimPath(path: string, text: string): string {
  const hash = createHash('sha256').update(basename(path)).update(text).digest('hex').slice(0, 24);
  return join(dirname(path), `.lock.${hash}.claim`);
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
