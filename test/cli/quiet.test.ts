/** Runs leave nothing in the home folder, such as the device id that is told with telemetry: ONNX Runtime's telemetry is off unless somebody wants it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fixtures } from '../paths.ts';
import { main } from './refcap.ts';

const library = new URL('../../dist/index.js', import.meta.url).href;
const model = join(fixtures, 'blip/tiny');
const picture = join(model, 'images/cat-0.png');
const folder = mkdtempSync(join(tmpdir(), 'refcap-quiet-'));
const home = join(folder, 'home');

beforeEach(() => {
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs Node with nothing said of telemetry in the environment. */
function node(args: readonly string[]): string {
  const { ORT_DISABLE_TELEMETRY: _, ...others } = process.env;
  const env = { ...others, HOME: home, USERPROFILE: home, XDG_CACHE_HOME: join(home, 'cache') };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const caption = `
  const captioner = await Captioner.load(${JSON.stringify(model)});
  await captioner.caption(${JSON.stringify(picture)});`;
const inLibrary = file('library.mjs', `import { Captioner } from '${library}'; ${caption}`);

describe('telemetry', () => {
  it('is off in the command', () => {
    node([main, 'caption', picture, '-m', model, '--quiet', '--offline']);
    expect(readdirSync(home)).toEqual([]);
  });

  it('is off in the library, also in its threads', () => {
    node([inLibrary]);
    const thread = `
      import { isMainThread, Worker } from 'node:worker_threads';
      import { Captioner } from '${library}';
      if (isMainThread) new Worker(new URL(import.meta.url));
      else { ${caption} }`;
    node([file('thread.mjs', thread)]);
    expect(readdirSync(home)).toEqual([]);
  });

  it('is for whoever uses the library to decide', () => {
    const source = `
      process.env.ORT_DISABLE_TELEMETRY = '0';
      await import('${library}');
      console.log(process.env.ORT_DISABLE_TELEMETRY);`;
    expect(node([file('own.mjs', source)])).toBe('0\n');
  });
});
