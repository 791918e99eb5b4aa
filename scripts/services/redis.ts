/** A redis-server of one's own, on a free port, which writes to its disk what it is told. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort, listening } from './ports.ts';

/** Whether Debian's redis-server is here. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

export interface RedisServer {
  readonly url: string;
  /** Ends it as a machine that loses its power. */
  kill(): Promise<void>;
  /** Starts it again, with what it wrote. */
  restart(): Promise<void>;
}

/** @param folder where it writes @param more further settings, such as --requirepass */
export async function startRedis(
  folder: string,
  more: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'always'],
): Promise<RedisServer> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const log = ['--save', '', '--logfile', join(folder, 'redis.log')];
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    server = spawn('redis-server', [...args, ...log, ...more], { stdio: 'ignore' });
    await listening(port, 'redis-server');
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    async kill() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
    restart: start,
  };
}
