/** `refcap alt` as a stranger runs it, with the tiny model. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtures } from '../paths.ts';
import { main, runRefcap } from './refcap.ts';

const tiny = join(fixtures, 'blip/tiny');
const folder = mkdtempSync(join(tmpdir(), 'refcap-alt-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
function refcap(args: readonly string[]) {
  return runRefcap(['alt', ...args], { cwd: folder, env });
}
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

const pages = {
  'index.html':
    '<p><img src="img/kite.png">\r\n<a href="a"><img src="/img/owl.png" alt=""></a>\r\n',
  'notes.md': '# Notes\n\n![](img/kite.png)\n',
};

function layOut(site: string): void {
  mkdirSync(join(folder, site, 'img'), { recursive: true });
  cpSync(join(tiny, 'images/beach-with-kites-1.png'), join(folder, site, 'img/kite.png'));
  cpSync(join(tiny, 'images/astronaut-1.png'), join(folder, site, 'img/owl.png'));
  for (const [name, text] of Object.entries(pages)) writeFileSync(join(folder, site, name), text);
}

const filledPages = {
  'index.html':
    '<p><img src="img/kite.png" alt="A kite flies over the brown sea">\r\n<a href="a"><img src="/img/owl.png" alt="A white dog looks owl a branch a flag"></a>\r\n',
  'notes.md': '# Notes\n\n![A kite flies over the brown sea](img/kite.png)\n',
};

beforeAll(() => {
  for (const site of ['site', 'patched', 'doubtful', 'named']) layOut(site);
});

describe('refcap alt', () => {
  it('lists, writes, and then has nothing to list', () => {
    const listed = refcap(['site', '--check']);
    expect(listed.stdout.split('\n')).toEqual([
      'site/index.html:1:4: no alt text: img/kite.png',
      'site/index.html:2:13: empty alt text: /img/owl.png',
      'site/notes.md:3:1: empty alt text: img/kite.png',
      '',
    ]);
    expect(listed.stderr).toBe('refcap: 3 pictures without alt text on 2 pages\n');
    expect(listed.status).toBe(3);
    const written = refcap(['site', '--write', '--model', tiny, '--min-confidence', '0.3']);
    expect(written.stdout.split('\n')[0]).toBe(
      'site/index.html:1:4: "A kite flies over the brown sea" (32 %): img/kite.png',
    );
    expect(written.stderr).toBe('refcap: 3 alt texts written into 2 pages\n');
    expect(written.status).toBe(0);
    for (const [name, text] of Object.entries(filledPages)) expect(read(`site/${name}`)).toBe(text);
    expect(readdirSync(join(folder, 'site')).sort()).toEqual(['img', 'index.html', 'notes.md']);
    expect(refcap(['site', '--check'])).toEqual({
      status: 0,
      stdout: '',
      stderr: 'refcap: 0 pictures without alt text on 2 pages\n',
    });
  });

  it('prints a patch that git applies, from a model in worker threads', () => {
    const args = ['patched', '--patch', '--model', tiny, '--min-confidence', '0', '--quiet'];
    const { stdout, stderr, status } = refcap([...args, '--cache', 'own', '--workers', '1']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    for (const [name, text] of Object.entries(pages)) expect(read(`patched/${name}`)).toBe(text);
    spawnSync('git', ['apply', '-'], { cwd: folder, input: stdout });
    for (const [name, text] of Object.entries(filledPages))
      expect(read(`patched/${name}`)).toBe(text);
    expect(existsSync(join(folder, 'own'))).toBe(true);
  });

  it('asks a person below the confidence, and says what is left', () => {
    const args = ['doubtful', '--write', '--model', tiny, '--min-confidence', '0.33'];
    const { stdout, stderr, status } = refcap(args);
    expect(stdout).toMatch(/^doubtful\/index\.html:2:13: "A white dog .*\n$/);
    expect(stderr).toMatch(
      /^refcap: doubtful\/index\.html:1:4: a comment asks for a text \(32 %\)/,
    );
    expect(stderr).toMatch(/1 alt text written into 2 pages; 2 pictures left without\n$/);
    expect(status).toBe(3);
    expect(read('doubtful/notes.md')).toBe('# Notes\n\n![](img/kite.png)<!-- TODO: alt text -->\n');
    const again = refcap([...args.slice(0, -1), '0.1', '--context', 'Lake']);
    expect(again.status).toBe(0);
    expect(read('doubtful/notes.md')).toBe(
      '# Notes\n\n![Lake: a kite flies over the brown sea](img/kite.png)\n',
    );
  });

  it('takes a page alone, with its root', () => {
    const { stdout, status } = refcap([
      'named/index.html',
      '--check',
      '--format',
      'json',
      '--root',
      'named/img',
    ]);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        line: 1,
        picture: 'named/img/kite.png',
      },
      { line: 2, reason: 'there is no such file' },
    ]);
    expect(status).toBe(3);
  });

  it.each<[string[], number, RegExp]>([
    [['site'], 2, /--check lists, --write fills, --patch prints/],
    [['site', '--check', '--write'], 2, /cannot be used with/],
    [['site', '--write', '--format', 'json'], 2, /--format is how --check lists/],
    [['site', '--write', '--min-confidence', '2'], 2, /must be from 0 to 1/],
    [['site', '--write', '--template', 'x'], 2, /no \{caption\}/],
    [['nowhere', '--check'], 1, /^refcap: nowhere: cannot be read \(ENOENT\)\.\n$/],
    [['site/img', '--check'], 1, /no pages in this folder/],
    [['site/img/kite.png', '--write'], 1, /not a page of a kind that is read/],
    [['named', '--write', '--model', 'nowhere'], 1, /There is no model "nowhere"/],
  ])('says why %j cannot be done', (args, code, message) => {
    const { status, stdout, stderr } = refcap(args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(code);
    expect(read('named/notes.md')).toBe(pages['notes.md']);
  });

  it('ends at Ctrl-C with no page half done, and goes on from what was captioned', async () => {
    layOut('stopped');
    const names = readdirSync(join(tiny, 'images'));
    const images = names.map((name) => `<img src="img/${name}">`);
    for (const name of names) cpSync(join(tiny, 'images', name), join(folder, 'stopped/img', name));
    const text = images.join('\n');
    writeFileSync(join(folder, 'stopped/index.html'), text);
    const args = [
      'stopped',
      '--write',
      '--model',
      tiny,
      '--cache',
      'stopped-cache',
      '--batch-size',
      '1',
    ];
    const child = spawn(process.execPath, [main, 'alt', ...args, '--workers', '1'], {
      cwd: folder,
      env,
    });
    const cached = () => {
      const [file] = existsSync(join(folder, 'stopped-cache'))
        ? readdirSync(join(folder, 'stopped-cache'))
        : [];
      return file === undefined ? 0 : read(`stopped-cache/${file}`).split('\n').length - 1;
    };
    const ended = once(child, 'exit');
    while (cached() < 2 && child.exitCode === null) await new Promise((go) => setTimeout(go, 5));
    child.kill('SIGINT');
    const [code] = await ended;
    if (code === 130) expect(read('stopped/index.html')).toBe(text);
    else expect(code).toBe(3);
    const before = cached();
    expect(before).toBeGreaterThanOrEqual(2);
    expect(refcap([...args, '--min-confidence', '0']).status).toBe(3);
    expect(cached()).toBe(new Set(names).size);
  });
});
