/**
 * moto's server as a store of objects, with keys that it checks (PyPI: moto): found in PATH, or installed once into
 * node_modules/.cache.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AwsClient } from 'aws4fetch';
import { freePort, listening } from './ports.ts';

const place = fileURLToPath(new URL('../../node_modules/.cache/refcap-services', import.meta.url));

/** The command that starts it; undefined where it is not here and cannot be installed. */
export function findMoto(): string | undefined {
  if (spawnSync('moto_server', ['--help']).status === 0) return 'moto_server';
  const own = join(place, 'bin/moto_server');
  if (existsSync(own)) return own;
  if (spawnSync('python3', ['-m', 'venv', place]).status !== 0) return undefined;
  const install = ['install', '--quiet', 'moto[server,s3]==5.*'];
  const { status } = spawnSync(join(place, 'bin/pip'), install, { timeout: 120_000 });
  return status === 0 ? own : undefined;
}

export interface ObjectServer {
  /** The variables that lead to it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

type Ask = (service: string, path: string, init: RequestInit) => Promise<string>;

/** Makes a user with a pair of keys and a bucket; from then on keys are looked at. @returns the answer with the keys */
async function setUp(ask: Ask, bucket: string): Promise<string> {
  const iam = (action: string, more: Record<string, string> = {}): Promise<string> => {
    const all = { Action: action, Version: '2010-05-08', UserName: 'refcap', ...more };
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return ask('iam', '/', { method: 'POST', headers, body: new URLSearchParams(all).toString() });
  };
  await iam('CreateUser');
  const keys = await iam('CreateAccessKey');
  const allowed = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [allowed] });
  await iam('PutUserPolicy', { PolicyName: 'all', PolicyDocument: policy });
  await ask('s3', `/${bucket}`, { method: 'PUT' });
  await ask('s3', '/moto-api/reset-auth', { method: 'POST', body: '0' });
  return keys;
}

/** A server with one bucket. Requests that are not signed by its keys are refused. */
export async function startMoto(command: string, bucket: string): Promise<ObjectServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = spawn(command, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  const ask: Ask = async (service, path, init) => {
    const keys = { accessKeyId: 'any', secretAccessKey: 'any', service, region: 'us-east-1' };
    const response = await new AwsClient({ ...keys, retries: 0 }).fetch(`${url}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${command}: ${path} ${response.status} ${text}`);
    return text;
  };
  try {
    await listening(port, command);
    const keys = await setUp(ask, bucket);
    const textOf = (name: string): string => new RegExp(`<${name}>(.*?)</`).exec(keys)?.[1] ?? '';
    const env = {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: textOf('AccessKeyId'),
      AWS_SECRET_ACCESS_KEY: textOf('SecretAccessKey'),
      AWS_REGION: 'us-east-1',
    };
    return { env, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
