/** `refcap video` as a stranger runs it: made films in, tables and subtitles out. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grey, hasFfmpeg, makeFilm } from '../data/films/films.ts';
import { hasNodeAv, isBeside, nodeAvVariables } from '../data/films/node-av/there.ts';
import { fixtures, repositoryRoot } from '../paths.ts';
import { main, runRefcap } from './refcap.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-video-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const tiny = join(fixtures, 'blip/tiny');
const samples = join(repositoryRoot, 'samples');

function refcap(...args: string[]) {
  return runRefcap(args, { cwd: folder });
}
const video = (...args: string[]) => refcap('video', '--model', tiny, '--workers', '0', ...args);

/** Photos of two seconds each, one cut after the other. */
function photoFilm(name: string, ...photos: string[]): void {
  const inputs = photos.flatMap((photo) => [
    '-loop',
    '1',
    '-t',
    '2',
    '-r',
    '10',
    '-i',
    join(samples, `${photo}.jpg`),
  ]);
  const scaled = photos.map((_, i) => `[${i}]scale=160:120,setsar=1[v${i}]`).join(';');
  const all = photos.map((_, i) => `[v${i}]`).join('');
  const graph = `${scaled};${all}concat=n=${photos.length},format=yuv420p`;
  makeFilm(...inputs, '-filter_complex', graph, '-c:v', 'mpeg4', '-q:v', '2', join(folder, name));
}

describe.skipIf(!hasFfmpeg)('refcap video', () => {
  beforeAll(() => {
    mkdirSync(join(folder, 'films'));
    photoFilm('films/a.mp4', 'cat', 'rocket', 'coffee');
    photoFilm('films/-b.mp4', 'owl');
    writeFileSync(join(folder, 'films/notes.mp4'), 'no film');
  });

  it('prints scenes alone', () => {
    expect(video('films/a.mp4', '--scenes-only')).toMatchObject({
      status: 0,
      stdout: ['0.000\t00:00:02', '2.000\t00:00:04', '4.000\t00:00:06']
        .map((times) => `films/a.mp4\t00:00:0${times}.000\n`)
        .join(''),
    });
  });

  it('captions a folder in several formats, names what is no film, and goes on where it was', () => {
    const args = [
      'films',
      '--beside',
      '--format',
      'vtt,jsonl',
      '--no-join',
      '--prompt',
      'a',
      '--contact-sheet',
      'sheet.html',
    ];
    const first = video(...args);
    expect(first).toMatchObject({ status: 3, stdout: '' });
    expect(first.stderr).toContain('films/notes.mp4: this is no film that ffmpeg can read');
    const rows = readFileSync(join(folder, 'films/a.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ start, end }) => [start, end])).toEqual([
      [0, 2],
      [2, 4],
      [4, 6],
    ]);
    // A model of pictures looks at a frame from the middle of a scene.
    for (const { frames, start, end } of rows) {
      expect(frames).toHaveLength(1);
      expect(Math.abs(frames[0] - (start + end) / 2)).toBeLessThan((end - start) / 8);
    }
    expect(readFileSync(join(folder, 'films/-b.vtt'), 'utf8')).toMatch(
      /^WEBVTT\n\n00:00:00.000 --> 00:00:01.800\n/,
    );
    const sheet = readFileSync(join(folder, 'sheet.html'), 'utf8');
    expect(sheet.match(/data:image\/jpeg/g)).toHaveLength(4);
    expect(sheet).toContain('href="films/a.mp4#t=2.000"');
    const again = video('films', '--beside', '--format', 'vtt,jsonl', '--no-join', '--resume');
    expect(again).toMatchObject({ status: 1 });
    expect(again.stderr).toContain('0 scenes of 0 films, 2 skipped');
  });

  it('says of a still film one thing', () => {
    for (const [flags, count] of [
      [['--frames', 'middle'], 1],
      [['--frames', '8'], 8],
      [['--vote'], 8],
    ] as const) {
      const { status, stdout } = video('films/-b.mp4', ...flags, '--format', 'json');
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toHaveLength(1);
      expect(JSON.parse(stdout)[0].frames).toHaveLength(count);
    }
  });

  it.each<[string[], RegExp]>([
    [['--start', '2', '--end', '1'], /--end \(1 s\) is not after --start \(2 s\)/],
    [['--decoder', 'mplayer'], /'mplayer' is invalid\. Allowed choices are ffmpeg, node-av/],
    [['--start', '1:75'], /'1:75' is invalid\. not a time such as 90, 1:30/],
    [['--format', 'vtt,srt'], /several formats are several files/],
    [['--output', 'a.srt', '--format', 'json'], /--output a\.srt is the name of a \.srt file/],
    [['--scenes-only', '--format', 'vtt'], /--scenes-only prints text or jsonl/],
  ])('refuses in a sentence: %j', (args, sentence) => {
    const { status, stderr } = video('films/a.mp4', ...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(sentence);
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full', () => {
    const full = openSync('/dev/full', 'w');
    const args = [main, 'video', 'films/a.mp4', '--scenes-only', '--quiet'];
    const { status, stderr } = spawnSync(process.execPath, args, {
      ...{ cwd: folder, stdio: ['ignore', full, 'pipe'], encoding: 'utf8' },
    });
    closeSync(full);
    const sentence = 'the standard output: the disk is full; free some space and run again.';
    expect([status, stderr]).toEqual([1, `refcap: ${sentence}\n`]);
  });

  it.skipIf(!hasNodeAv)(
    'does the same by node-av, without ffmpeg or where that is asked for',
    () => {
      const args = [
        'video',
        '--model',
        tiny,
        '--workers',
        '0',
        'films/a.mp4',
        '--quiet',
        '--no-join',
      ];
      const usual = refcap(...args, '--format', 'json');
      expect(usual.status).toBe(0);
      const env = { ...nodeAvVariables, PATH: folder };
      const alone = runRefcap([...args, '--format', 'json'], { cwd: folder, env });
      expect(alone).toEqual(usual);
      const asked = runRefcap([...args, '--format', 'json', '--decoder', 'node-av'], {
        cwd: folder,
        env: nodeAvVariables,
      });
      expect(asked).toEqual(usual);
    },
  );

  it.skipIf(isBeside)('says how to get what reads films where nothing does', () => {
    const env = { PATH: folder, NODE_PATH: '' };
    const none = runRefcap(['video', 'films/a.mp4', '--scenes-only'], { cwd: folder, env });
    expect(none).toMatchObject({ status: 1, stdout: '' });
    expect(none.stderr).toMatch(
      /^refcap: films are read by ffmpeg .*apt install ffmpeg.*npm install --ignore-scripts node-av.*\n$/,
    );
    const args = ['video', 'films/a.mp4', '--scenes-only', '--decoder', 'node-av'];
    const { status, stderr } = runRefcap(args, { cwd: folder, env });
    expect([status, stderr]).toEqual([
      1,
      'refcap: the npm package node-av is not installed; install the package beside refcap (npm install --ignore-scripts node-av; its binary is under the GPL) and run again.\n',
    ]);
  });

  it('stops at Ctrl-C, and ffmpeg with it', async () => {
    makeFilm(
      ...grey(100, '64x48', 2),
      '-vf',
      'loop=200:1',
      '-c:v',
      'mpeg4',
      join(folder, 'long.mp4'),
    );
    const child = spawn(
      process.execPath,
      [main, 'video', '--model', tiny, 'long.mp4', '--scenes-only'],
      { cwd: folder },
    );
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    const isReading = () =>
      spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout.includes('file:long.mp4');
    while (!isReading() && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    // It may have ended before the signal.
    if (code !== 0) expect([code, said]).toEqual([130, 'refcap: interrupted.\n']);
    expect(isReading()).toBe(false);
  });
});
