/** `refcap caption` with a model from a hub, and stopped by a person. */
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeHub, modelId } from '../hub/server.ts';
import { fixtures } from '../paths.ts';
import { main } from './refcap.ts';

const tiny = join(fixtures, 'blip/tiny');
const photo = join(tiny, 'images', readdirSync(join(tiny, 'images'))[0]);
let folder = '';
const hub = new FakeHub();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-hub-'));
  await hub.start();
  for (const name of [
    'config.json',
    'generation_config.json',
    'preprocessor_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.txt',
    'model.safetensors',
  ]) {
    const content = readFileSync(join(tiny, name));
    hub.files.set(name, { content, large: name === 'model.safetensors' });
  }
});
afterAll(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command beside this process, which serves the hub; `watch` sees the child. */
async function refcap(args: string[], watch?: (kill: () => void) => void): Promise<Ended> {
  const env = { ...process.env, HF_ENDPOINT: hub.url, HF_HOME: join(folder, 'cache') };
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  watch?.(() => child.kill('SIGINT'));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

describe('refcap caption', () => {
  it('downloads a model by its id once, and works offline then', async () => {
    const first = await refcap(['caption', '--model', modelId, photo]);
    expect(first.stderr).not.toContain('refcap: ');
    expect(first.code).toBe(0);
    const local = await refcap(['caption', '--model', tiny, photo]);
    expect(first.stdout).toBe(local.stdout);
    const asked = hub.requests.length;
    const again = await refcap(['caption', '--model', modelId, '--offline', photo]);
    expect(again.stdout).toBe(local.stdout);
    expect(hub.requests.length).toBe(asked);
    const unknown = await refcap(['caption', '--model', 'owner/nothing', '--offline', photo]);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/^refcap: .*owner\/nothing/);
  });

  it('stops at Ctrl-C with the finished rows kept, exits with 130, and goes on with --resume', async () => {
    const photos = join(folder, 'photos');
    mkdirSync(photos);
    for (let i = 0; i < 150; i++)
      copyFileSync(photo, join(photos, `${String(i).padStart(3, '0')}.png`));
    const rows = (name: string) => {
      const path = join(folder, name);
      return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
    };
    const args = ['caption', '--model', tiny, 'photos', '--batch-size', '1', '-f', 'jsonl'];
    const stopped = await refcap([...args, '-o', 'stopped.jsonl'], (kill) => {
      const timer = setInterval(() => {
        if (rows('stopped.jsonl') < 3) return;
        clearInterval(timer);
        kill();
      }, 2);
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain('interrupted. Run again with --resume to go on.');
    const kept = rows('stopped.jsonl');
    expect(kept).toBeGreaterThanOrEqual(3);
    expect(kept).toBeLessThan(150);
    const resumed = await refcap([...args, '-o', 'stopped.jsonl', '--resume']);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toContain(`${kept} skipped`);
    const files = readFileSync(join(folder, 'stopped.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).file);
    expect(new Set(files).size).toBe(150);
    expect(files).toHaveLength(150);
  });
});
