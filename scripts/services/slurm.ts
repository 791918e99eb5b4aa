/** A Slurm of one node, this machine: Debian's munged, slurmctld and slurmd, all in a folder. Needs root. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, NotStarted } from './ports.ts';

const programs = ['munged', 'slurmctld', 'slurmd', 'sbatch'];

/** Whether all of it is here, and this process may start it. */
export const hasSlurm =
  process.getuid?.() === 0 &&
  programs.every((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0);

export interface Slurm {
  /** The variables by which sbatch and the others find it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** @param folder for its state and logs; nobody else may write there */
export async function startSlurm(folder: string): Promise<Slurm> {
  chmodSync(folder, 0o755);
  for (const name of ['munge', 'state', 'spool']) mkdirSync(join(folder, name), { mode: 0o755 });
  const conf = join(folder, 'slurm.conf');
  const socket = join(folder, 'munge/socket');
  const key = join(folder, 'munge/key');
  writeFileSync(key, 'a key for this machine, for the time of a check', { mode: 0o400 });
  writeFileSync(conf, await settings(folder, socket));
  const env = { SLURM_CONF: conf };
  const running: ChildProcess[] = [];
  const start = (program: string, args: readonly string[]): void => {
    running.push(spawn(program, args, { env: { ...process.env, ...env }, stdio: 'ignore' }));
  };
  const own = ['pid-file', 'log-file', 'seed-file'].map(
    (name) => `--${name}=${join(folder, 'munge', name)}`,
  );
  start('munged', ['--foreground', '--force', `--socket=${socket}`, `--key-file=${key}`, ...own]);
  await until('munged', () => spawnSync('munge', ['-n', '-S', socket]).status === 0);
  start('slurmctld', ['-D', '-f', conf]);
  start('slurmd', ['-D', '-f', conf]);
  const stop = async (): Promise<void> => {
    for (const each of running.reverse()) {
      if (each.exitCode !== null || each.signalCode !== null) continue;
      each.kill('SIGTERM');
      await Promise.race([once(each, 'exit'), sleep(5000)]);
      each.kill('SIGKILL');
    }
  };
  try {
    await until('slurm', () => {
      const { stdout } = spawnSync('sinfo', ['-h', '-o', '%t'], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
        timeout: 10_000,
      });
      return stdout.trim() === 'idle';
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { env, stop };
}

async function settings(folder: string, socket: string): Promise<string> {
  const [node] = spawnSync('slurmd', ['-C'], { encoding: 'utf8' }).stdout.split('\n');
  return `ClusterName=refcap
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmUser=root
SlurmctldPort=${await freePort()}
SlurmdPort=${await freePort()}
AuthType=auth/munge
AuthInfo=socket=${socket}
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
${node} NodeAddr=127.0.0.1
PartitionName=main Nodes=${hostname()} Default=YES State=UP
`;
}

async function until(what: string, isThere: () => boolean): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    if (isThere()) return;
    await sleep(500);
  }
  throw new NotStarted(`${what} does not start`);
}
