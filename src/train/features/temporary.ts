/** Names of half-written shards, which tell who writes them: several programs and machines may share a folder. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../../base/files.ts';

/** What tells process numbers apart: a machine since it was started, and a container on it. 12 hex digits. */
async function machine(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const processes = await readlink('/proc/self/ns/pid').catch(() => '');
  const words = `${hostname()} ${boot.trim()} ${processes}`;
  return createHash('sha256').update(words).digest('hex').slice(0, 12);
}

/** A name beside the shard's that no other writer takes, in this process or elsewhere. */
export async function temporaryName(path: string): Promise<string> {
  return `${path}.${await machine()}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
}

/** Nobody writes at a shard for so long, in milliseconds. */
const abandoned = 24 * 60 * 60 * 1000;

/**
 * Removes half-written shards of processes of this machine that are no more. Those of other machines, which
 * cannot be asked, are left alone until they are a day old.
 */
export async function removeAbandoned(folder: string): Promise<void> {
  const here = await machine();
  for (const name of await readdir(folder)) {
    if (!/\.f16\..*\.tmp$/.test(name)) continue;
    const [, host, owner] = /\.f16\.([0-9a-f]{12})\.(\d+)\.[0-9a-f]+\.tmp$/.exec(name) ?? [];
    const path = join(folder, name);
    // Another process may be done with it by now.
    const written = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if ((host === here && !isRunning(Number(owner))) || Date.now() - written > abandoned)
      await rm(path, { force: true });
  }
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
