/** `refcap caption` and `refcap convert` as a stranger runs them: the built command, exit codes, files. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner, type CaptionOptions } from '../../src/caption/index.ts';
import { fixtures } from '../paths.ts';
import { main, runRefcap } from './refcap.ts';

const tiny = join(fixtures, 'blip/tiny');
const folder = mkdtempSync(join(tmpdir(), 'refcap-caption-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function refcap(args: readonly string[], input?: string) {
  return runRefcap(args, { cwd: folder, ...(input !== undefined && { input }) });
}
const caption = (args: readonly string[], input?: string) =>
  refcap(['caption', '--model', tiny, ...args], input);
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
/** Rows without what differs from run to run. */
const rowsOf = (json: string) =>
  json
    .trim()
    .split('\n')
    .map((line) => ({ ...JSON.parse(line), ms: 0 }));

beforeAll(() => {
  cpSync(join(tiny, 'images'), join(folder, 'photos'), { recursive: true });
  mkdirSync(join(folder, 'photos/more'));
  cpSync(join(tiny, 'images/cat-0.png'), join(folder, 'photos/more/a, "cat".png'));
  mkdirSync(join(folder, 'mixed'));
  cpSync(join(tiny, 'images/cat-0.png'), join(folder, 'mixed/cat.png'));
  cpSync(join(tiny, 'images/owl-1.png'), join(folder, 'mixed/owl.png'));
  writeFileSync(
    join(folder, 'mixed/cut.png'),
    readFileSync(join(tiny, 'images/cat-0.png')).subarray(0, 900),
  );
  writeFileSync(join(folder, 'mixed/empty.jpg'), '');
  writeFileSync(join(folder, 'mixed/text.png'), 'not a picture at all');
  mkdirSync(join(folder, 'nothing'));
});

describe('refcap caption', () => {
  it('prints a line a picture, the results alone on the standard output', () => {
    const { status, stdout, stderr } = caption(['photos']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(24);
    expect(lines[1]).toBe('photos/astronaut-1.png\ta white dog looks owl a branch a flag');
    expect(stderr).toMatch(/^24 captioned in [\d.]+ s/);
    expect(status).toBe(0);
  });

  it('goes on past broken pictures, lists them at the end and exits with 3', () => {
    const { status, stdout, stderr } = caption(['mixed', 'nothing', 'missing.png', '--quiet']);
    expect(
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('\t')[0]),
    ).toEqual(['mixed/cat.png', 'mixed/owl.png']);
    const failures = stderr.trim().split('\n');
    expect(failures.length).toBe(5);
    for (const [i, pattern] of [
      /^refcap: mixed\/cut\.png: .*cut off/,
      /^refcap: mixed\/empty\.jpg: the file is empty/,
      /^refcap: mixed\/text\.png: the file is text/,
      /^refcap: nothing: there are no images in this folder/,
      /^refcap: missing\.png: there is no such file/,
    ].entries())
      expect(failures[i]).toMatch(pattern);
    expect(status).toBe(3);
  });

  it('stops at the first broken picture with --fail-fast, what came before being kept', () => {
    const { status, stdout, stderr } = caption(['mixed', '--fail-fast', '-q']);
    expect(stdout).toMatch(/^mixed\/cat\.png\t.*\n$/);
    expect(stderr).toMatch(/^refcap: mixed\/cut\.png: /);
    expect(status).toBe(1);
  });

  it('writes JSON rows with ids, log-probabilities and words', () => {
    const { stdout } = caption([
      'mixed/owl.png',
      '--format',
      'json',
      '--beams',
      '3',
      '--num-captions',
      '2',
      '--words',
    ]);
    const [row] = JSON.parse(stdout);
    expect(Object.keys(row)).toEqual(['file', 'caption', 'captions', 'width', 'height', 'ms']);
    expect(row).toMatchObject({ file: 'mixed/owl.png', width: 48, height: 48 });
    expect(row.captions.length).toBe(2);
    const [best] = row.captions;
    expect(best.text).toBe(row.caption);
    expect(best.ids[0]).toBe(180);
    expect(best.meanLogprob).toBeCloseTo(best.logprob / (best.ids.length - 1), 6);
    expect(best.words.map(({ text }: { text: string }) => text).join(' ')).toBe(best.text);
  });

  it('writes CSV that a spreadsheet reads, and text files beside the pictures', () => {
    caption(['photos/more', '--format', 'csv', '--output', 'more.csv', '-q']);
    const [head, row] = read('more.csv').split('\n');
    expect(head).toBe('file,caption,logprob,meanLogprob,width,height,ms,confidence');
    expect(row.startsWith('"photos/more/a, ""cat"".png",')).toBe(true);
    expect(caption(['mixed/owl.png', '--format', 'sidecar']).stdout).toBe('');
    expect(read('mixed/owl.txt')).toBe('a brown owl stares with yellow eyes\n');
    const again = caption(['mixed/owl.png', '--format', 'sidecar', '-q']);
    expect(again.stderr).toMatch(/owl\.txt exists; use --resume/);
    expect(again.status).toBe(3);
    expect(caption(['mixed/owl.png', '--format', 'sidecar', '--resume']).stderr).toMatch(
      /1 skipped/,
    );
  });

  it.each<[readonly string[], CaptionOptions]>([
    [['--beams', '3', '--length-penalty', '3'], { num_beams: 3, length_penalty: 3 }],
    [['--beams', '3', '--early-stopping', 'never'], { num_beams: 3, early_stopping: 'never' }],
    [['--max-length', '6'], { max_length: 6 }],
    [['--min-length', '16'], { min_length: 16 }],
    [['--max-new-tokens', '4'], { max_new_tokens: 4 }],
    [['--repetition-penalty', '4'], { repetition_penalty: 4 }],
    [['--prompt', 'a white'], { prompt: 'a white' }],
    [['--ban', 'a', '--ban', 'brown'], { bannedWords: ['a', 'brown'] }],
    [['--sample', '--seed', '3'], { do_sample: true, seed: 3 }],
    [['--top-k', '2', '--seed', '5'], { do_sample: true, top_k: 2, seed: 5 }],
    [['--top-p', '0.5'], { do_sample: true, top_p: 0.5 }],
    [['--temperature', '3'], { do_sample: true, temperature: 3 }],
  ])('writes with %j what the library does with %j', async (flags, options) => {
    const names = readdirSync(join(folder, 'photos'))
      .filter((name) => name.endsWith('.png'))
      .sort();
    using captioner = await Captioner.load(tiny, { threads: 1 });
    const pictures = names.map((name) => join(folder, 'photos', name));
    const idsOf = async (more: CaptionOptions) => {
      const results = await captioner.captionAll(pictures, more);
      return results.map(({ captions: [{ ids }] }) => ids);
    };
    const rows: { captions: { ids: number[] }[] }[] = JSON.parse(
      caption(['photos', '-q', '-f', 'json', '--batch-size', '24', ...flags]).stdout,
    );
    const written = rows.map(({ captions: [{ ids }] }) => ids);
    expect(written).toEqual(await idsOf(options));
    expect(written).not.toEqual(await idsOf({}));
  });

  it('heeds limits of pictures, other sizes and 8-bit weights', () => {
    const plain = rowsOf(caption(['photos', '-q', '-f', 'jsonl']).stdout);
    expect(caption(['photos/cat-0.png', '-q', '--max-pixels', '100']).stderr).toMatch(/limit/);
    expect(caption(['photos/cat-0.png', '-q', '--max-bytes', '100']).stderr).toMatch(
      /limit of 100/,
    );
    for (const flags of [
      ['--quantize', 'int8'],
      ['--image-size', '64'],
    ]) {
      const { status, stdout } = caption(['photos', '-q', '-f', 'jsonl', ...flags]);
      expect(status).toBe(0);
      expect(rowsOf(stdout)).not.toEqual(plain);
    }
  });

  it('never writes a sequence twice that it is told not to', () => {
    const repeats = (...options: string[]) => {
      const { stdout } = caption([
        'photos',
        '-q',
        '-f',
        'json',
        '--min-new-tokens',
        '14',
        ...options,
      ]);
      const rows: { captions: { ids: number[] }[] }[] = JSON.parse(stdout);
      return rows.filter(({ captions: [{ ids }] }) => new Set(ids).size < ids.length).length;
    };
    expect(repeats()).toBeGreaterThan(0);
    expect(repeats('--no-repeat-ngram', '1')).toBe(0);
  });

  it("keeps the model's own beams, draws without any, and takes more for more captions", () => {
    cpSync(tiny, join(folder, 'beams'), { recursive: true });
    const path = join(folder, 'beams/generation_config.json');
    writeFileSync(
      path,
      JSON.stringify({ ...JSON.parse(read('beams/generation_config.json')), num_beams: 3 }),
    );
    const captions = (...options: string[]) => {
      const args = ['caption', 'photos', '-q', '-f', 'json', ...options];
      const { stdout } = refcap([...args, '--model', options.includes('--beams') ? tiny : 'beams']);
      const rows: { captions: { ids: number[] }[] }[] = JSON.parse(stdout);
      return rows.map(({ captions: list }) => list.map(({ ids }) => ids));
    };
    expect(captions('--num-captions', '1')).toEqual(captions('--beams', '3'));
    expect(captions('--num-captions', '2')).toEqual(
      captions('--num-captions', '2', '--beams', '3'),
    );
    expect(captions('--num-captions', '5')).toEqual(
      captions('--num-captions', '5', '--beams', '5'),
    );
    const drawn = ['--sample', '--seed', '4', '--num-captions', '5'];
    expect(captions(...drawn)).toEqual(captions(...drawn, '--beams', '1'));
  });

  it('writes one text file for one picture alone', () => {
    mkdirSync(join(folder, 'twins'));
    for (const name of ['a.png', 'a.jpg', 'b.png'])
      cpSync(join(tiny, 'images/cat-0.png'), join(folder, 'twins', name));
    const { stderr, status } = caption(['twins', '--format', 'sidecar']);
    expect(stderr).toMatch(/a\.png: .*a\.txt already belongs to another picture of that name/);
    expect(stderr).toMatch(/2 captioned, 1 failed/);
    expect(status).toBe(3);
  });

  it('stops at Ctrl-C while it waits for more of a list', async () => {
    const child = spawn(
      process.execPath,
      [main, 'caption', '--model', tiny, '-', '-f', 'json', '-o', 'list.json', '--batch-size', '1'],
      { cwd: folder },
    );
    let text = '';
    child.stderr.on('data', (data) => {
      text += data;
    });
    child.stdin.write('photos/cat-0.png\n'.repeat(8));
    while (!existsSync(join(folder, 'list.json')) || !read('list.json').includes('cat-0'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(text).toContain('interrupted. Run again with --resume to go on.');
    expect(code).toBe(130);
    expect(JSON.parse(read('list.json')).length).toBeGreaterThan(0);
  });

  it('takes patterns and a list on the standard input', () => {
    const pattern = caption(['photos/**/*at*.png', '-q']).stdout;
    const files = pattern
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    expect(files).toContain('photos/more/a, "cat".png');
    expect(files).toContain('photos/cat-0.png');
    const list = `${files.join('\n')}\n\n`;
    expect(caption(['-', '-q'], list).stdout).toBe(pattern);
  });

  it('reaches other folders only with --recursive', () => {
    const below = (args: string[]) => caption([...args, '-q']).stdout.includes('more/');
    expect(below(['photos'])).toBe(false);
    expect(below(['photos', '--recursive'])).toBe(true);
  });

  it('fetches addresses only when allowed, and never from private networks', async () => {
    const server = createServer((_, response) => response.end('secret')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const address = `http://127.0.0.1:${port}/cat.png`;
    expect(caption([address, '-q']).stderr).toMatch(/only with --allow-url/);
    const { status, stderr } = caption([address, '-q', '--allow-url']);
    expect(stderr).toMatch(/private or reserved network address/);
    expect(status).toBe(3);
    server.close();
  });

  it.each([
    [['photos', '--resume'], /--resume needs --output/],
    [['photos', '--resume', '--overwrite', '-o', 'x'], /exclude each other/],
    [['photos', '--format', 'sidecar', '-o', 'x'], /leave out --output/],
    [['photos', '--batch-size', '0'], /at least 1/],
    [['photos', '--format', 'xml'], /Allowed choices/],
    [
      ['photos', '--min-length', '9', '--max-length', '8'],
      /--min-length 9 is above --max-length 8/,
    ],
    [['photos', '--min-new-tokens', '9', '--max-new-tokens', '8'], /is above --max-new-tokens 8/],
  ])('refuses %j as wrong usage', (args, message) => {
    const { status, stdout, stderr } = caption(args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it.each([
    [
      ['photos', '--num-captions', '5', '--beams', '2'],
      /num_return_sequences \(5\) is more than num_beams/,
    ],
    [['photos', '--max-length', '90'], /90 ids, is more than the model's 40 positions/],
    [['photos', '--device', 'quantum'], /'quantum' is not available/],
    [['photos', '--model', 'nowhere'], /There is no model "nowhere"/],
  ])('says in one sentence why %j cannot be done', (args, message) => {
    const { status, stdout, stderr } = caption(args);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n').length).toBe(1);
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });

  it('does not touch a file that exists, or one that holds something else', () => {
    writeFileSync(join(folder, 'mine.jsonl'), 'dear diary\n');
    expect(caption(['mixed', '-f', 'jsonl', '-o', 'mine.jsonl']).stderr).toMatch(
      /mine\.jsonl exists/,
    );
    expect(caption(['mixed', '-f', 'jsonl', '-o', 'mine.jsonl', '--resume']).stderr).toMatch(
      /line 1 is no result/,
    );
    expect(read('mine.jsonl')).toBe('dear diary\n');
  });

  it.each(['text', 'json', 'jsonl', 'csv'])('resumes %s that was cut anywhere', (format) => {
    const args = ['photos', '-r', '-q', '-f', format, '--num-captions', '2', '--batch-size', '3'];
    caption([...args, '-o', 'whole']);
    const whole = read('whole');
    // In CSV the last column but one; the last is the confidence.
    const withoutTimes = (text: string) =>
      text
        .replace(/"ms":[\d.]+/g, '')
        .replace(/,[\d.]+(,[\d.]*)$/gm, format === 'csv' ? '$1' : '$&');
    const bytes = Buffer.from(whole);
    const cuts = [0, 0.33, 0.71, 0.999, 1].map((share) => Math.floor(bytes.length * share));
    // And behind whole lines, within a batch.
    for (const lines of [7, 8, 9])
      cuts.push(Buffer.byteLength(`${whole.split('\n').slice(0, lines).join('\n')}\n`));
    for (const cut of cuts) {
      writeFileSync(join(folder, 'part'), bytes.subarray(0, cut));
      expect(caption([...args, '-o', 'part', '--resume']).stderr).toBe('');
      expect(withoutTimes(read('part'))).toBe(withoutTimes(whole));
    }
    rmSync(join(folder, 'whole'));
    rmSync(join(folder, 'part'));
  });

  it('knows a finished run, and does nothing', () => {
    const args = ['photos', '-r', '--num-captions', '2', '--batch-size', '7'];
    for (const name of ['done.txt', 'done.json', 'done.jsonl', 'done.csv']) {
      caption([...args, '-q', '-o', name]);
      const whole = read(name);
      // A model that is not there is not missed.
      const again = refcap(['caption', ...args, '-o', name, '--resume', '-m', 'nowhere']);
      expect(again.stderr).toBe('0 captioned, 25 skipped: nothing was left to do\n');
      expect(again.status).toBe(0);
      expect(read(name)).toBe(whole);
      const short = `${whole.trimEnd().split('\n').slice(0, -2).join('\n')}\n`;
      writeFileSync(join(folder, name), short);
      expect(caption([...args, '-o', name, '--resume']).stderr).toMatch(
        /[1-7] captioned, \d+ skip/,
      );
      rmSync(join(folder, name));
    }
  });

  it("knows a finished run of COCO's numbers, and one that refuses a picture is none", () => {
    mkdirSync(join(folder, 'numbered'));
    for (const [i, name] of ['cat-0', 'owl-1'].entries())
      cpSync(join(tiny, `images/${name}.png`), join(folder, `numbered/00000${i + 4}.png`));
    const args = ['caption', 'numbered', '-f', 'coco', '-o', 'numbered.json'];
    refcap([...args, '-q', '-m', tiny]);
    const whole = read('numbered.json');
    expect(JSON.parse(whole).map((row: { image_id: number }) => row.image_id)).toEqual([4, 5]);
    const again = refcap([...args, '--resume', '-m', 'nowhere']);
    expect(again.stderr).toBe('0 captioned, 2 skipped: nothing was left to do\n');
    cpSync(join(tiny, 'images/cat-0.png'), join(folder, 'numbered/cat.png'));
    const refused = refcap([...args, '--resume', '-m', tiny]);
    expect(refused.stderr).toContain("COCO's results name pictures by number");
    expect(read('numbered.json')).toBe(whole);
  });

  it('writes names into CSV that every reader gets back, and goes on behind them', () => {
    mkdirSync(join(folder, 'odd'));
    const names = ['new\nline.png', 'new\\nline.png', 'say "x", twice.png', ' z.png'];
    for (const name of names) cpSync(join(tiny, 'images/cat-0.png'), join(folder, 'odd', name));
    const args = ['odd', '-q', '--batch-size', '1', '-o', 'odd.csv'];
    caption(args);
    const whole = read('odd.csv');
    const rows: string[][] = parse(whole);
    expect(rows.slice(1).map(([file]) => file)).toEqual(names.sort().map((name) => `odd/${name}`));
    for (let cut = whole.indexOf('\n') + 1; cut < whole.length; cut += 25) {
      writeFileSync(join(folder, 'odd.csv'), whole.slice(0, cut));
      const { stderr, status } = caption([...args, '--resume']);
      // Less than a row may be anything.
      if (status === 0) expect(parse(read('odd.csv')).length).toBe(5);
      else expect(stderr).toMatch(/line 2 is no result/);
    }
  });

  it.skipIf(process.platform === 'win32')('writes into pipes and devices', async () => {
    const plain = caption(['mixed/cat.png', '-q']).stdout;
    for (const path of ['/dev/stdout', '/dev/fd/1'])
      expect(caption(['mixed/cat.png', '-q', '-o', path]).stdout).toBe(plain);
    const pipe = join(folder, 'pipe');
    spawnSync('mkfifo', [pipe]);
    for (const more of [[], ['--overwrite']]) {
      const reader = spawn('cat', [pipe]);
      let text = '';
      reader.stdout.on('data', (data) => {
        text += data;
      });
      const closed = once(reader, 'close');
      const { status, stderr } = caption(['mixed/cat.png', '-q', '-o', pipe, ...more]);
      await closed;
      expect([status, stderr, text]).toEqual([0, '', plain]);
    }
    expect(caption(['mixed', '-o', pipe, '--resume']).stderr).toMatch(
      /pipe: a pipe or device keeps nothing that a run could go on with/,
    );
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  });

  it('takes the format from the name of the output', () => {
    caption(['mixed/cat.png', '-q', '-o', 'implied.NDJSON']);
    expect(JSON.parse(read('implied.NDJSON')).file).toBe('mixed/cat.png');
    caption(['mixed/cat.png', '-q', '-o', 'implied.tsv']);
    expect(read('implied.tsv')).toMatch(/^mixed\/cat\.png\t/);
    const { stderr, status } = caption(['mixed/cat.png', '-o', 'other.csv', '-f', 'json']);
    expect(stderr).toMatch(/other\.csv is the name of a \.csv file, which --format json does not/);
    expect(status).toBe(2);
    expect(existsSync(join(folder, 'other.csv'))).toBe(false);
  });

  it('looks at the output before the model', () => {
    const run = (...args: string[]) =>
      refcap(['caption', 'mixed', '-m', 'nowhere', ...args]).stderr;
    expect(run('-o', 'none/x.json')).toMatch(/the folder does not exist; create it first/);
    expect(run('-o', 'photos')).toMatch(/this is a folder; name a file/);
    expect(run('-o', 'x.json')).toMatch(/There is no model "nowhere"/);
    expect(existsSync(join(folder, 'x.json'))).toBe(false);
  });

  it('names pictures of kinds that are not read, and writes beside long names', () => {
    mkdirSync(join(folder, 'kinds'));
    const long = `${'狗'.repeat(83)}.png`;
    cpSync(join(tiny, 'images/cat-0.png'), join(folder, 'kinds', long));
    for (const name of ['a.psd', 'b.jxl']) writeFileSync(join(folder, 'kinds', name), 'x');
    const { status, stderr } = caption(['kinds', '-f', 'sidecar']);
    expect(stderr).toMatch(/^1 captioned, 2 passed over in/);
    expect(stderr).toMatch(
      /2 pictures of kinds that are not read \(Photoshop, JPEG XL\) are passed over: kinds\/a\.psd, kinds\/b\.jxl;/,
    );
    expect(status).toBe(0);
    expect(readdirSync(join(folder, 'kinds'))).toContain(`${'狗'.repeat(83)}.txt`);
    const named = caption(['kinds/a.psd']);
    expect(named.stderr).toMatch(/a\.psd: the file is text, not a JPEG/);
    expect(named.status).toBe(3);
  });

  it('goes on after a kill -9 as if nothing had happened', async () => {
    const args = ['caption', '--model', tiny, 'photos', '-f', 'jsonl', '-q', '--batch-size', '1'];
    refcap([...args, '-o', 'calm.jsonl']);
    const child = spawn(process.execPath, [main, ...args, '-o', 'killed.jsonl'], { cwd: folder });
    const lines = () =>
      existsSync(join(folder, 'killed.jsonl')) ? read('killed.jsonl').split('\n').length - 1 : 0;
    while (lines() < 5 && child.exitCode === null) await new Promise((r) => setTimeout(r, 5));
    child.kill('SIGKILL');
    if (child.exitCode === null) await new Promise((r) => child.once('exit', r));
    expect(lines()).toBeLessThan(24);
    refcap([...args, '-o', 'killed.jsonl', '--resume']);
    expect(rowsOf(read('killed.jsonl'))).toEqual(rowsOf(read('calm.jsonl')));
  });
});

describe('refcap convert', () => {
  it('writes a folder that captions alike, from the original checkpoint too', () => {
    const { status, stdout, stderr } = refcap(['convert', join(tiny, 'original.pth'), 'converted']);
    expect(stdout).toBe('converted\n');
    expect(stderr).toMatch(/original\.pth: [\d,]+ values, saved as f32/);
    expect(status).toBe(0);
    expect(readdirSync(join(folder, 'converted')).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'preprocessor_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'vocab.txt',
    ]);
    const run = (model: string) => refcap(['caption', 'photos', '-q', '--model', model]).stdout;
    expect(run('converted')).toBe(run(tiny));
    const again = refcap(['convert', tiny, 'converted']);
    expect(again.stderr).toMatch(/exists and is not empty/);
    expect(again.status).toBe(1);
  });
});
