/** `refcap compare` as a person runs it; its page in a browser, where one is installed. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disagreement } from '../../src/compare/compare.ts';
import { modelFingerprint } from '../../src/model/checkpoint/fingerprint.ts';
import { tiny } from '../caption/models.ts';
import { describeInChromium, inChromium } from '../chromium.ts';
import { repositoryRoot } from '../paths.ts';
import { runRefcap } from './refcap.ts';

let folder = '';

interface Row {
  file: string;
  caption: string;
  references: string[];
  cider?: number;
}

const rows: Row[] = [
  { file: 'cat.jpg', caption: 'a cat sits', references: ['a cat sits on a chair', 'the cat'] },
  {
    file: 'coffee.jpg',
    caption: 'a cup of coffee',
    references: ['a cup of coffee', 'coffee </script> there'],
  },
  { file: 'owl.jpg', caption: 'an owl', references: ['an owl in a tree', 'a bird'] },
];
/** The other run's captions: one better, one as it was, one worse. */
const others: Row[] = [
  { ...rows[0], caption: 'a cat sits on a chair', cider: 2 },
  rows[1],
  { ...rows[2], caption: 'an <b>old</b> bird', cider: 0.25 },
];

function write(
  name: string,
  some: readonly Row[],
  split = 'dev',
  model = { name, fingerprint: name },
): void {
  mkdirSync(join(folder, name), { recursive: true });
  const data = { source: 'photos', split, images: some.length, fingerprint: 'f' };
  const results = { model, data, metrics: { CIDEr: 0.5 } };
  const decoding = { num_beams: 3 };
  writeFileSync(join(folder, name, 'results.json'), JSON.stringify({ ...results, decoding }));
  const lines = some.map(({ file, caption, references, cider = 0.5 }) => {
    const path = join(folder, file);
    return JSON.stringify({ file, path, caption, references, scores: { CIDEr: cider } });
  });
  writeFileSync(join(folder, name, 'captions.jsonl'), `${lines.join('\n')}\n`);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-compare-'));
  for (const { file } of rows.slice(0, 2))
    copyFileSync(join(repositoryRoot, 'samples', file), join(folder, file));
  write('a', rows);
  write('b', others);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refcap = (...args: string[]) => runRefcap(args, { cwd: folder });
const compare = (...args: string[]) => refcap('compare', ...args, '--bootstrap', '50');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
/** Every file with its content: what must not change. */
const everything = () =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => (statSync(join(folder, name)).isFile() ? [name, read(name)] : [name]));

describe('refcap compare', () => {
  it('gives the differences that refcap score gives for the same captions', () => {
    const run = compare('a', 'b', '-o', 'page.html', '-f', 'json');
    expect(run.stderr).toMatch(/^refcap: 1 picture is not in the page .*owl\.jpg/);
    expect(run.status).toBe(0);
    const [, second] = JSON.parse(run.stdout);
    const line = (file: string, caption: string) => JSON.stringify({ image_id: file, caption });
    for (const [name, some] of [
      ['a.jsonl', rows],
      ['b.jsonl', others],
    ] as const)
      writeFileSync(
        join(folder, name),
        some.map(({ file, caption }) => line(file, caption)).join('\n'),
      );
    writeFileSync(
      join(folder, 'r.jsonl'),
      rows.flatMap(({ file, references }) => references.map((text) => line(file, text))).join('\n'),
    );
    const settings = ['--bootstrap', '50', '--seed', '1', '-f', 'json'];
    const scored = refcap('score', 'a.jsonl', 'b.jsonl', '-r', 'r.jsonl', ...settings);
    const [, known] = JSON.parse(scored.stdout);
    expect(known.comparison.differences.Bleu_1.difference).not.toBe(0);
    expect(second.comparison.differences).toEqual(known.comparison.differences);
    expect(second.metrics).toEqual(known.metrics);
  });

  it('writes one page that needs no other file and keeps texts apart from markup', () => {
    const html = read('page.html');
    expect(html).not.toMatch(/(?:src|href)="(?!data:)|url\(|@import|fetch\(/);
    const data = html.match(/<script type="application\/json" id="data">(.*?)<\/script>/s)?.[1];
    const { metrics, images } = JSON.parse(data ?? '');
    expect(metrics).toEqual(['CIDEr']);
    expect(images.map(({ scores }: { scores: number[][] }) => scores)).toEqual([
      [[0.5], [2]],
      [[0.5], [0.5]],
      [[0.5], [0.25]],
    ]);
    expect(images[1].references[1]).toBe('coffee </script> there');
    expect(images[0].picture).toMatch(/^data:image\/jpeg;base64,/);
    expect(images[2].picture).toBeNull();
    expect(html).toContain('num_beams 3');
  });

  it('finds pictures that were moved, or leaves them out', () => {
    mkdirSync(join(folder, 'moved'));
    for (const name of ['cat.jpg', 'coffee.jpg'])
      renameSync(join(folder, name), join(folder, 'moved', name));
    const found = compare('a', 'b', '-o', 'moved.html', '--images', 'moved');
    expect(found.stderr).toMatch(/1 picture is not in the page/);
    expect(read('moved.html')).toBe(read('page.html'));
    const without = compare('a', 'b', '-o', 'plain.html', '--no-images');
    expect(without.stderr).toBe('refcap: written to plain.html\n');
    expect(read('plain.html')).not.toContain('data:image');
  });

  it('says in a sentence what does not fit, and changes no file', () => {
    write('test', rows, 'test');
    write('fewer', rows.slice(1));
    write(
      'other',
      rows.map((row) => ({ ...row, file: `x${row.file}` })),
    );
    write(
      'references',
      rows.map((row) => ({ ...row, references: ['else'] })),
    );
    write('cut', rows);
    const cut = join(folder, 'cut/captions.jsonl');
    writeFileSync(cut, readFileSync(cut, 'utf8').slice(0, -30));
    write('short', rows);
    const short = join(folder, 'short/captions.jsonl');
    writeFileSync(short, readFileSync(short, 'utf8').split('\n').slice(0, 2).join('\n'));
    // As an evaluation leaves it that was killed while it wrote.
    write('.run.77.tmp', rows);
    rmSync(join(folder, '.run.77.tmp/results.json'));
    write('foreign', rows);
    writeFileSync(join(folder, 'foreign/results.json'), '{"metrics": {}}');
    write('half', rows);
    writeFileSync(join(folder, 'half/results.json'), '{"metrics": {');
    mkdirSync(join(folder, 'training/checkpoints'), { recursive: true });
    mkdirSync(join(folder, 'trained/checkpoints'), { recursive: true });
    mkdirSync(join(folder, 'trained/best'));
    mkdirSync(join(folder, 'empty'));
    const faults: [string, RegExp][] = [
      ['test', /a is of the dev split and test of the test split/],
      ['fewer', /fewer: cat\.jpg of a is missing/],
      ['other', /other: xcat\.jpg is not among the pictures of a/],
      ['references', /references: cat\.jpg has other references/],
      ['cut', /captions\.jsonl, line 3: not JSON/],
      ['short', /captions\.jsonl has 2 pictures and results\.json speaks of 3/],
      ['.run.77.tmp', /there is no results\.json, so the evaluation was interrupted/],
      ['foreign', /results\.json: model is not what refcap evaluate writes/],
      ['half', /results\.json: not valid JSON/],
      ['training', /it was interrupted before it saved a model/],
      ['trained', /a training run, not an evaluation; run refcap evaluate trained.best first/],
      ['empty', /there is no results\.json/],
      ['nowhere', /nowhere: there is no such folder/],
    ];
    const before = everything();
    for (const [name, message] of faults) {
      const run = compare('a', name, '-o', 'not.html');
      expect(run.stderr).toMatch(message);
      expect(run.stderr.trim().split('\n')).toHaveLength(1);
      expect(run.stdout).toBe('');
      expect(run.status).toBe(1);
    }
    const outputs: [string[], number, RegExp][] = [
      [['-o', 'page.html'], 1, /page\.html: the file is there; choose another, or --overwrite/],
      [['-o', 'a', '--overwrite'], 1, /a: this is a folder; name a file/],
      [['-o', 'no/page.html'], 1, /no\/page\.html: the folder does not exist/],
      [['-o', 'x.html', '--images', 'nowhere'], 1, /nowhere: there is no such folder/],
      [['-o', 'x.html', '--image-size', '3'], 2, /--image-size must be/],
    ];
    for (const [args, status, message] of outputs) {
      const run = compare('a', 'b', ...args);
      expect(run.stderr).toMatch(message);
      expect(run.status).toBe(status);
    }
    expect(everything()).toEqual(before);
    expect(compare('a', 'a', '-o', 'page.html', '--overwrite').status).toBe(0);
    expect(existsSync(join(folder, 'page.html'))).toBe(true);
  });

  it('shows where words looked, by the models that wrote them', async () => {
    const model = { name: tiny, fingerprint: await modelFingerprint(tiny) };
    const mapped: Row[] = [
      { file: 'cat.jpg', caption: 'a brown owl', references: ['a cat'] },
      { file: 'coffee.jpg', caption: 'an owl', references: ['a cup'] },
    ];
    const strange = [mapped[0], { ...mapped[1], caption: 'an 99 owl' }];
    for (const name of ['cat.jpg', 'coffee.jpg'])
      copyFileSync(join(repositoryRoot, 'samples', name), join(folder, name));
    write('mapped', mapped, 'dev', model);
    write('strange', strange, 'dev', model);
    const run = compare('mapped', 'strange', '-o', 'maps.html', '--maps');
    expect(run.stderr).toMatch(/^refcap: not all captions have maps in the page: .*lacks '99'/);
    expect(run.status).toBe(0);
    const data = read('maps.html').match(/id="data">(.*?)<\/script>/s)?.[1];
    const { images } = JSON.parse(data ?? '');
    const [first, second] = images;
    for (const words of [...first.words, second.words[0]])
      for (const { about, veil } of words) {
        expect(about).toMatch(/^looked .*; \d+ % sure; depends on the picture/);
        expect(veil).toMatch(/^data:image\/png;base64,/);
      }
    expect(first.words[0].map(({ text }: { text: string }) => text)).toEqual(['a', 'brown', 'owl']);
    expect(second.words[1]).toBeNull();
    write('other model', mapped, 'dev', { ...model, fingerprint: 'f' });
    const other = compare('mapped', 'other model', '-o', 'x.html', '--maps');
    expect(other.stderr).toMatch(/other model: .*tiny is another model now than the one that/);
    const plain = compare('mapped', 'strange', '-o', 'x.html', '--maps', '--no-images');
    expect([other.status, plain.status]).toEqual([1, 2]);
    expect(existsSync(join(folder, 'x.html'))).toBe(false);
  });

  it('measures disagreement by the words that two captions share', () => {
    expect(disagreement('a dog runs', 'A dog runs.')).toBe(0);
    expect(disagreement('a dog', 'two cats')).toBe(1);
    expect(disagreement('a dog runs', 'a dog sits')).toBe(0.5);
    expect(disagreement('', '')).toBe(0);
  });
});

describeInChromium('the page in a browser', () => {
  interface Found {
    readonly shown: readonly string[][];
    readonly counts: readonly string[];
    readonly focused: readonly (string | null)[];
    readonly unlabelled: number;
    readonly bold: number;
    readonly overflow: number;
  }
  const cases: [Record<string, string>, string[]][] = [
    [{}, ['cat.jpg', 'coffee.jpg', 'owl.jpg']],
    [{ order: 'loss' }, ['owl.jpg', 'coffee.jpg', 'cat.jpg']],
    [{ order: 'change' }, ['cat.jpg', 'owl.jpg', 'coffee.jpg']],
    [{ order: 'disagreement' }, ['owl.jpg', 'cat.jpg', 'coffee.jpg']],
    [{ order: 'low' }, ['owl.jpg', 'coffee.jpg', 'cat.jpg']],
    [{ show: 'gain' }, ['cat.jpg']],
    [{ show: 'loss' }, ['owl.jpg']],
    [{ show: 'same' }, ['coffee.jpg']],
    [{ show: 'different' }, ['cat.jpg', 'owl.jpg']],
    [{ change: '0.3' }, ['cat.jpg']],
    [{ disagreement: '0.5' }, ['owl.jpg']],
    [{ words: 'CHAIR sits' }, ['cat.jpg']],
    [{ words: 'chair', where: 'a' }, []],
    [{ words: 'bird', where: 'references' }, ['owl.jpg']],
    [{ words: 'there', where: 'any' }, ['coffee.jpg']],
  ];

  it('sorts and filters as asked, by keyboard too, and fits a phone', async () => {
    compare('a', 'b', '-o', 'browser.html', '--images', 'moved');
    const script = `
      const form = document.getElementById('filters');
      const names = () => [...document.querySelectorAll('#list article')].map((a) => a.getAttribute('aria-label'));
      const shown = [], counts = [], focused = [];
      for (const values of ${JSON.stringify(cases.map(([values]) => values))}) {
        form.reset();
        for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
        form.dispatchEvent(new Event('input'));
        shown.push(names());
        counts.push(document.getElementById('count').textContent);
      }
      form.reset();
      form.dispatchEvent(new Event('input'));
      const press = (key) => {
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        focused.push(document.activeElement.getAttribute('aria-label') ?? document.activeElement.name ?? null);
      };
      for (const key of ['j', 'j', 'j', 'j', 'k', '/', 'j']) press(key);
      document.getElementById('keys').checked = false;
      document.activeElement.blur();
      press('j');
      return {
        shown, counts, focused,
        unlabelled: [...document.querySelectorAll('input, select, button')].filter((e) => !e.labels?.length && !e.textContent).length
          + document.querySelectorAll('img:not([alt])').length,
        bold: document.querySelectorAll('#list article b').length,
        overflow: document.documentElement.scrollWidth - innerWidth,
      };`;
    const found = (await inChromium(join(folder, 'browser.html'), script, 390)) as Found;
    expect(found.shown).toEqual(cases.map(([, files]) => files));
    expect(found.counts[0]).toBe('3 of 3 pictures; by CIDEr B is better in 1, A in 1, even in 1.');
    expect(found.focused).toEqual([
      'cat.jpg',
      'coffee.jpg',
      'owl.jpg',
      'owl.jpg',
      'coffee.jpg',
      'words',
      'words',
      null,
    ]);
    expect(found.unlabelled).toBe(0);
    // A and B of three pictures: the <b> in a caption is text.
    expect(found.bold).toBe(6);
    expect(found.overflow).toBeLessThanOrEqual(0);
  });

  it('shows the map of a word by mouse, finger and keyboard, over the picture and no more', async () => {
    const script = `return (async () => {
      await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
      const article = document.querySelector('#list article[aria-label="cat.jpg"]');
      const [photo, veil] = article.querySelectorAll('.framed img');
      const words = [...article.querySelectorAll('button.word')];
      const told = () => [veil.hidden, article.querySelector('.about').textContent.split(':')[0]];
      const seen = [told()];
      words[0].focus();
      seen.push(told());
      words[0].dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
      seen.push(told(), document.activeElement.textContent);
      const box = ({ x, y, width, height }) => [x, y, width, height].map(Math.round);
      const same = [box(photo.getBoundingClientRect()), box(veil.getBoundingClientRect())];
      words[1].blur();
      seen.push(told());
      words[2].dispatchEvent(new PointerEvent('pointerenter'));
      seen.push(told());
      return {
        seen, same,
        stops: words.map((word) => word.tabIndex),
        overflow: document.documentElement.scrollWidth - innerWidth,
      };
    })()`;
    for (const width of [390, 1200]) {
      const found = (await inChromium(join(folder, 'maps.html'), script, width)) as {
        readonly seen: readonly unknown[];
        readonly same: readonly (readonly number[])[];
        readonly stops: readonly number[];
        readonly overflow: number;
      };
      expect(found.seen).toEqual([
        [true, ''],
        [false, 'a'],
        [false, 'brown'],
        'brown',
        [true, ''],
        [false, 'owl'],
      ]);
      const [photo, veil] = found.same;
      expect(veil).toEqual(photo);
      expect(Math.min(...photo.slice(2))).toBeGreaterThan(50);
      // One stop of Tab a caption; arrows go on.
      expect(found.stops).toEqual([-1, 0, -1, 0, -1, -1]);
      expect(found.overflow).toBeLessThanOrEqual(0);
    }
  });

  it('has maps that axe-core finds nothing against', async () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const script = `${axe};
      document.querySelector('#list button.word').focus();
      return axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]));`;
    for (const width of [360, 1200])
      expect(await inChromium(join(folder, 'maps.html'), script, width)).toEqual([]);
  });
});
