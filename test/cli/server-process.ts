/** `refcap serve` as a process, over the tiny model. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixtures } from '../paths.ts';
import { main } from './refcap.ts';

export const tiny = join(fixtures, 'blip/tiny');

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Of its standard error. */
  readonly lines: readonly string[];
  /** Its exit code, when all of its lines are there. */
  readonly ended: Promise<number | null>;
  /** Where it listens, once it does. */
  url(): Promise<string>;
}

export function startServe(...flags: string[]): ServerProcess {
  const args = [main, 'serve', '--model', tiny, '--port', '0', '--threads', '1', ...flags];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe'] });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const ended = once(child, 'close').then(([code]) => code);
  const url = async (): Promise<string> => {
    while (lines.length === 0 && child.exitCode === null) await sleep(20);
    const [, found] = /^refcap: serving .* at (http:\S+)$/.exec(lines.at(0) ?? '') ?? [];
    if (found === undefined) throw new Error(lines.join('\n'));
    return found;
  };
  return { child, lines, ended, url };
}
