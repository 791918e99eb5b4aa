/** `refcap demo` as a stranger runs it: from any folder, against `refcap caption` on the same photos. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromium } from '../../scripts/chromium.ts';
import { Captioner } from '../../src/caption/captioner.ts';
import { samplePhotos } from '../../src/data/datasets/sample-photos.ts';
import { demoPage } from '../../src/pages/demo.ts';
import { inChromium } from '../chromium.ts';
import { fixtures, repositoryRoot } from '../paths.ts';
import { main, runRefcap } from './refcap.ts';

const samples = join(repositoryRoot, 'samples');
const tiny = join(fixtures, 'blip/tiny');
const photos = readdirSync(samples)
  .filter((name) => name.endsWith('.jpg'))
  .sort();
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-demo-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function refcap(args: readonly string[], program = main) {
  return runRefcap(args, { cwd: folder, program });
}
const demo = (...args: string[]) => refcap(['demo', '--model', tiny, ...args]);
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

interface Row {
  readonly file: string;
  readonly caption: string;
  readonly confidence: number;
}
interface Known {
  readonly file: string;
  readonly caption: string;
  /** Of a model that was calibrated. */
  readonly confidence?: number;
  readonly captions: readonly { readonly ids: number[]; readonly logprob: number }[];
}

describe('refcap demo', () => {
  it.each([
    ['tiny', ['--model', tiny]],
    ['tiny with beams', ['--model', tiny, '--beams', '2']],
    ['the bundled model', []],
    ['one member of it', ['--members', '1']],
  ])(
    'writes what refcap caption writes, and its confidence or exp(mean logprob): %s',
    (of, settings) => {
      const shown = refcap(['demo', '--no-page', '--format', 'json', ...settings]);
      expect(shown.status).toBe(0);
      const rows: Row[] = JSON.parse(shown.stdout);
      const known: Known[] = JSON.parse(
        refcap(['caption', samples, '--format', 'json', '-q', ...settings]).stdout,
      );
      expect(rows.map(({ file }) => file)).toEqual(photos);
      for (const [i, { file, caption, confidence }] of rows.entries()) {
        expect(known[i].file).toBe(join(samples, file));
        expect(caption).toBe(known[i].caption);
        const [{ ids, logprob }] = known[i].captions;
        // The first id, [DEC], is given and not chosen.
        const probability = Math.exp(logprob / (ids.length - 1));
        expect(confidence).toBeCloseTo(known[i].confidence ?? probability, 4);
        expect(known[i].confidence === undefined).toBe(of.startsWith('tiny'));
      }
    },
  );

  it('prints an aligned line a photo, from whatever folder it is run in', () => {
    const { stdout, stderr, status } = demo('--no-page');
    const rows: Row[] = JSON.parse(demo('--no-page', '-f', 'json').stdout);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual(
      rows.map(({ file, caption, confidence }) => [
        file,
        `${(100 * confidence).toFixed(0)} %`,
        caption || '(no words)',
      ]),
    );
    expect(new Set(lines.map((line) => line.indexOf(' %'))).size).toBe(1);
    expect(stderr).toMatch(/^refcap: 14 photos captioned in [\d.]+ s\n$/);
    expect(status).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('writes a page that holds every photo, its caption and its source, and needs no other file', async () => {
    const { stderr, status } = demo();
    expect(stderr).toContain('with pictures in refcap-demo.html');
    expect(status).toBe(0);
    const html = read('refcap-demo.html');
    const rows: Row[] = JSON.parse(demo('--no-page', '-f', 'json').stdout);
    const images = [...html.matchAll(/<img src="data:image\/jpeg;base64,[^"]+" alt="([^"]+)">/g)];
    expect(images).toHaveLength(photos.length);
    const known = await samplePhotos();
    for (const [i, { file, source, licence, description }] of known.entries()) {
      expect(images[i][1]).toBe(description?.replaceAll("'", '&#39;'));
      expect(html).toContain(`${file}: ${source}; ${licence}`);
      const caption = rows[i].caption.replaceAll("'", '&#39;') || '(no words)';
      expect(html.replaceAll(/<\/?mark[^>]*>/g, '')).toContain(`<h2>${caption}</h2>`);
    }
    using captioner = await Captioner.load(tiny, { threads: 1 });
    const { captions } = await captioner.caption(join(samples, photos[0]), { dependence: true });
    const shares = captions[0].words?.map(
      ({ dependence = 0 }) => 1 - Math.exp(-Math.max(0, dependence)),
    );
    const shown = html.slice(html.indexOf('<h2>'), html.indexOf('</h2>'));
    const marked = [...shown.matchAll(/--share: ([\d.]+)/g)].map(([, share]) => Number(share));
    expect(marked.length).toBe(shares?.length);
    for (const [i, share] of marked.entries()) expect(share).toBeCloseTo(shares?.[i] ?? 2, 1);
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).not.toMatch(/<script|(?:src|href)="(?!data:)|url\(|@import/);
  });

  it('replaces a page of its own, and any other file only when told to', () => {
    expect(demo().status).toBe(0);
    writeFileSync(join(folder, 'mine.html'), '<title>refcap demo</title>');
    const refused = demo('--output', 'mine.html');
    expect(refused.stderr).toBe(
      'refcap: mine.html: the file is there; choose another, or --overwrite.\n',
    );
    expect(refused.stdout).toBe('');
    expect(refused.status).toBe(1);
    expect(read('mine.html')).toBe('<title>refcap demo</title>');
    expect(demo('--output', 'mine.html', '--overwrite').status).toBe(0);
    expect(read('mine.html')).toBe(read('refcap-demo.html'));
  });

  it.each([
    [['--model', 'nowhere'], 1, /There is no model "nowhere"/],
    [['-o', 'no/page.html'], 1, /no\/page\.html: the folder does not exist/],
    [['-o', '.'], 1, /this is a folder/],
    [['--no-page', '-o', 'x.html'], 2, /--no-page writes no file/],
    [['--beams', '0'], 2, /at least 1/],
    [['--members', '2'], 2, /members \(2\): .*has one/],
    [['--format', 'xml'], 2, /Allowed choices/],
  ])('says why %j cannot be done, and writes nothing', (args, code, message) => {
    const before = readdirSync(folder);
    const { status, stdout, stderr } = demo(...args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(code);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('writes no page when it is interrupted', async () => {
    const args = ['demo', '--beams', '8', '--threads', '1', '-o', 'stopped.html'];
    const child = spawn(process.execPath, [main, ...args], { cwd: folder });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(130);
    expect(existsSync(join(folder, 'stopped.html'))).toBe(false);
  });
});

describe('refcap demo in a package', () => {
  const inPackage = (...args: string[]) =>
    refcap(['demo', '--model', tiny, '--no-page', ...args], join(folder, 'pack/dist/cli/main.js'));

  beforeAll(() => {
    const pack = join(folder, 'pack');
    mkdirSync(pack);
    cpSync(join(repositoryRoot, 'dist'), join(pack, 'dist'), { recursive: true });
    copyFileSync(join(repositoryRoot, 'package.json'), join(pack, 'package.json'));
    symlinkSync(join(repositoryRoot, 'node_modules'), join(pack, 'node_modules'));
  });

  it('says what is missing', () => {
    const { status, stderr, stdout } = inPackage();
    expect(stderr).toMatch(/samples: the photos that ship with refcap are not here; install it/);
    expect(stdout).toBe('');
    expect(status).toBe(1);
    mkdirSync(join(folder, 'pack/samples'));
    copyFileSync(join(samples, 'cat.jpg'), join(folder, 'pack/samples/cat.jpg'));
    expect(inPackage('--model', 'refcap-small').stderr).toMatch(/There is no model "refcap-small"/);
  });

  it('goes on past a photo that cannot be read, and does without a list of sources', () => {
    writeFileSync(join(folder, 'pack/samples/broken.jpg'), 'no picture');
    const { status, stderr, stdout } = inPackage();
    expect(stdout).toMatch(/^cat\.jpg +\d+ % {2}\S.*\n$/);
    expect(stderr).toMatch(/broken\.jpg: the file is text/);
    expect(status).toBe(3);
  });
});

describe('the page of refcap demo', () => {
  const photo = {
    file: '<a>.jpg',
    picture: 'data:image/jpeg;base64,AA==',
    description: 'a "cat" & a dog',
    source: '<me>',
    licence: 'CC0',
    caption: '<script>alert(1)</script>',
    confidence: 0.456,
  };

  it('keeps texts apart from markup', () => {
    const about = { model: '<m>', decoding: '"d"', photos: [photo] };
    const html = demoPage({ ...about, isCalibrated: false });
    expect(html).not.toMatch(/<script>|<a>|<me>|<m>/);
    expect(html).toContain('alt="a &quot;cat&quot; &amp; a dog"');
    expect(html).toContain('<h2>&lt;script&gt;alert(1)&lt;/script&gt;</h2>');
    expect(html).toContain('Confidence 46 %');
    expect(html).toContain('geometric mean');
    expect(demoPage({ ...about, isCalibrated: true })).toContain('main noun');
    const words = [
      { text: 'a', dependence: -1 },
      { text: '<b>', dependence: Math.log(4) },
    ];
    const shaded = demoPage({
      ...{ ...about, isCalibrated: false, photos: [{ ...photo, caption: 'a <b>', words }] },
    });
    expect(shaded).toContain(
      '<h2><mark style="--share: 0.00">a</mark> <mark style="--share: 0.75">&lt;b&gt;</mark></h2>',
    );
    expect(shaded).toContain('Most from the picture: <b>&lt;b&gt;</b>, 75 % of it');
  });

  it.skipIf(!chromium)('fits a phone', async () => {
    const found = await inChromium(
      join(folder, 'refcap-demo.html'),
      `return [document.documentElement.scrollWidth - innerWidth,
        [...document.images].filter((image) => image.naturalWidth > 300).length,
        document.querySelectorAll('h1').length]`,
      390,
    );
    expect(found).toEqual([0, photos.length, 1]);
  });
});
