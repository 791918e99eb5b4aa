/** Films read by the package node-av give what the program ffmpeg gives. */
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FilmDecoder } from '../../../../src/data/films/decoder.ts';
import { ffmpegDecoder } from '../../../../src/data/films/ffmpeg.ts';
import { type ReadOptions, readFrames } from '../../../../src/data/films/frames.ts';
import { nodeAvDecoder } from '../../../../src/data/films/node-av/node-av.ts';
import { probeFilm } from '../../../../src/data/films/probe.ts';
import { detectorNames } from '../../../../src/video/scenes/detectors.ts';
import { filmScenes, type Scene } from '../../../../src/video/scenes/scenes.ts';
import { grey, hasFfmpeg, lossless, makeFilm } from '../films.ts';
import { hasNodeAv } from './there.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-node-av-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string) => join(folder, name);

/** A moving picture in all colours. */
const moving = (seconds: number, size = '64x48', rate = 10) =>
  ['-f', 'lavfi', '-t', String(seconds), '-i', `testsrc2=s=${size}:r=${rate}`] as const;
const noisy = (size: string, layout: string) =>
  [
    '-f',
    'lavfi',
    '-t',
    '0.4',
    '-i',
    `color=gray:s=${size}:r=10,format=rgb24,noise=alls=90:allf=t,format=${layout}`,
  ] as const;
const h264 = ['-c:v', 'libx264', '-bf', '2', '-pix_fmt', 'yuv420p'] as const;
const silence = ['-f', 'lavfi', '-t', '4', '-i', 'anullsrc=r=8000:cl=mono'] as const;

async function readBy(decoder: FilmDecoder, path: string, options: ReadOptions = {}) {
  const { decoder: used, ...film } = await probeFilm(path, undefined, decoder);
  const warnings: string[] = [];
  const frames: { readonly time: number; readonly data: Uint8Array }[] = [];
  const all = readFrames(
    { ...film, decoder: used },
    {
      ...options,
      onWarning: (sentence) => warnings.push(sentence),
    },
  );
  for await (const { time, data } of all) frames.push({ time, data: data.slice() });
  return { film, frames, warnings };
}

/** Has both read a film, and expects the same of them. */
async function expectAlike(path: string, options?: ReadOptions): Promise<number[]> {
  const wanted = await readBy(ffmpegDecoder, path, options);
  const found = await readBy(nodeAvDecoder, path, options);
  expect(found.film).toEqual(wanted.film);
  const times = wanted.frames.map(({ time }) => time);
  expect(found.frames.map(({ time }) => time)).toEqual(times);
  expect(times.length).toBeGreaterThan(0);
  for (const [i, { data }] of found.frames.entries())
    expect(Buffer.compare(data, wanted.frames[i].data), `frame ${i}`).toBe(0);
  expect(found.warnings).toEqual([]);
  return times;
}

describe.skipIf(!hasFfmpeg || !hasNodeAv)('films read by node-av', () => {
  const films: Readonly<Record<string, readonly string[]>> = {
    'plain.mp4': [...moving(2, '160x90', 25), ...h264],
    'wide.mp4': [...moving(0.5), '-vf', 'setsar=2', ...h264],
    'varying.mkv': [
      ...moving(1),
      ...['-vf', 'settb=1/1000,setpts=N*N*20', '-fps_mode', 'passthrough'],
      ...['-enc_time_base', '1:1000', ...lossless],
    ],
    'late.mkv': [
      ...[...silence, '-itsoffset', '2', ...moving(0.5), '-map', '0', '-map', '1'],
      ...[...lossless, '-c:a', 'pcm_s16le'],
    ],
    'fifty.ts': [...moving(0.5), '-c:v', 'mpeg2video', '-output_ts_offset', '50'],
    'ten-bits.mkv': [...noisy('64x48', 'yuv420p10le'), ...lossless],
    'full-range.avi': [...moving(0.5), '-c:v', 'mjpeg'],
    'odd.mkv': [...noisy('64x47', 'yuv420p'), ...lossless],
    'odd-width.mkv': [...noisy('149x42', 'yuv420p'), ...lossless, '-colorspace', 'bt709'],
    'all-colours.mkv': [...noisy('64x48', 'yuv444p'), ...lossless],
    'rgb.mov': [...moving(0.3), '-c:v', 'png', '-pix_fmt', 'rgb24'],
    'bottom-up.avi': [...moving(0.3), '-c:v', 'rawvideo', '-pix_fmt', 'bgr24'],
    'no-times.h264': [...moving(0.5), ...h264],
  };

  it.each(Object.entries(films))(
    'have the same frames at the same times as by ffmpeg: %s',
    async (name, args) => {
      await expectAlike(makeFilm(...args, place(name)));
    },
  );

  it('have the times at which players show them', async () => {
    const [first] = await expectAlike(place('late.mkv'));
    expect(first).toBe(2);
    expect((await expectAlike(place('fifty.ts')))[0]).toBeCloseTo(0, 10);
  });

  it('are read from --start to --end', async () => {
    const path = place('plain.mp4');
    const times = await expectAlike(path, { start: 0.75, end: 1.1 });
    expect(times.map((time) => Number(time.toFixed(3)))).toEqual([
      0.76, 0.8, 0.84, 0.88, 0.92, 0.96, 1, 1.04, 1.08,
    ]);
    expect(await expectAlike(place('late.mkv'), { start: 2.25 })).toHaveLength(2);
    await expect(readBy(nodeAvDecoder, path, { start: 9 })).rejects.toThrow(
      /plain\.mp4: there are no frames from 9 s on/,
    );
  });

  it('of a high dynamic range are mapped alike where they are grey', async () => {
    // Codes of SMPTE ST 2084; what is outside of the ordinary colours FFmpeg's versions map differently.
    const levels = 'if(eq(N,0),196,if(eq(N,1),394,if(eq(N,2),509,723)))';
    const source = `color=black:s=64x48:r=10,format=yuv420p10le,geq=lum='${levels}':cb=512:cr=512`;
    const tags = ['-color_primaries', 'bt2020', '-colorspace', 'bt2020nc', '-color_range', 'tv'];
    const film = makeFilm(
      ...['-f', 'lavfi', '-t', '0.4', '-i', source, ...lossless],
      ...[...tags, '-color_trc', 'smpte2084', place('hdr.mkv')],
    );
    expect(await probeFilm(film, undefined, nodeAvDecoder)).toMatchObject({ isHdr: true });
    const { frames, warnings } = await readBy(nodeAvDecoder, film);
    expect(warnings).toEqual([]);
    expect(frames).toHaveLength(4);
    if (await ffmpegDecoder.hasFilter('zscale')) await expectAlike(film);
    // Taken for codes of the ordinary range they are 37 and 190.
    expect(frames[0].data[0]).toBeLessThan(30);
    expect(frames[3].data[0]).toBeGreaterThan(240);
  });

  it('change their size on the way', async () => {
    const first = makeFilm(...moving(0.4, '64x48'), '-c:v', 'mpeg2video', place('first.ts'));
    const second = makeFilm(...moving(0.4, '96x64'), '-c:v', 'mpeg2video', place('second.ts'));
    const both = place('both.ts');
    const args = ['-i', `concat:${first}|${second}`, '-c', 'copy'];
    await expectAlike(makeFilm(...args, both));
  });

  it('are not the cover', async () => {
    const cover = makeFilm(
      ...['-f', 'lavfi', '-i', 'color=red:s=32x32', '-frames:v', '1', place('c.png')],
    );
    const film = makeFilm(
      ...['-i', cover, ...grey(4), '-map', '0', '-map', '1', '-c:v:0', 'copy', '-c:v:1', 'mpeg4'],
      ...['-disposition:v:0', 'attached_pic', place('cover.mp4')],
    );
    await expectAlike(film);
    expect(await probeFilm(film, undefined, nodeAvDecoder)).toMatchObject({ width: 64 });
  });

  it.each(detectorNames)('have the same scenes: %s', async (detector) => {
    const colours = ['red', 'black', 'white', 'blue', 'white', 'black', 'red'].map(
      (colour) => `color=${colour}:s=64x48:r=10:d=2`,
    );
    const graph = `${colours.map((one, i) => `${one}[v${i}]`).join(';')};${colours.map((_, i) => `[v${i}]`).join('')}concat=n=${colours.length}`;
    const film = makeFilm('-filter_complex', graph, ...h264, place(`cuts-${detector}.mp4`));
    const scenes = await Promise.all(
      [ffmpegDecoder, nodeAvDecoder].map(async (decoder) => {
        const all = filmScenes(await probeFilm(film, undefined, decoder), { scenes: { detector } });
        const found: Scene[] = [];
        for await (const scene of all) found.push(scene);
        return found;
      }),
    );
    expect(scenes[0].length).toBeGreaterThan(1);
    expect(scenes[1]).toEqual(scenes[0]);
  });

  it.each(['mp4', 'mkv'])(
    'of %s that end early are read as far as they go, with a warning',
    async (ending) => {
      const film = place(`cut.${ending}`);
      makeFilm(
        ...noisy('64x48', 'yuv420p'),
        ...h264,
        '-g',
        '2',
        '-movflags',
        'faststart',
        place('whole.mp4'),
      );
      makeFilm('-i', place('whole.mp4'), '-c', 'copy', '-movflags', 'faststart', film);
      truncateSync(film, Math.floor(statSync(film).size * 0.7));
      const wanted = await readBy(ffmpegDecoder, film);
      const { frames, warnings } = await readBy(nodeAvDecoder, film);
      expect(frames.map(({ time }) => time)).toEqual(wanted.frames.map(({ time }) => time));
      expect(warnings).toHaveLength(1);
      // Which of FFmpeg's sentences comes last, the file's or the codec's, is a matter of its threads.
      expect(warnings[0]).toMatch(
        /cut\.\w+: parts of this film are damaged \(node-av: .*(partial|prematurely|NAL units).*\); what could be read was used\.$/,
      );
    },
  );

  it('stop with the signal, or where no more are wanted, and the file is closed', async () => {
    const film = await probeFilm(
      makeFilm(...moving(20), ...h264, place('long.mp4')),
      undefined,
      nodeAvDecoder,
    );
    const stop = new AbortController();
    const reading = async () => {
      for await (const { index } of readFrames(film, { signal: stop.signal }))
        if (index === 3) stop.abort();
    };
    await expect(reading()).rejects.toThrow(/abort/i);
    await expect(probeFilm(film.path, stop.signal, nodeAvDecoder)).rejects.toThrow(/abort/i);
    for await (const { index } of readFrames(film)) if (index === 1) break;
    if (process.platform !== 'linux') return;
    expect(openFiles()).not.toContain(film.path);
    const frames = readFrames(film);
    await frames.next();
    expect(openFiles()).toContain(film.path);
    await frames.return(undefined);
    expect(openFiles()).not.toContain(film.path);
  });

  it('are read of many files at once', async () => {
    const clip = makeFilm(...grey(6), ...lossless, place('many.mkv'));
    const all = await Promise.all(Array.from({ length: 8 }, () => readBy(nodeAvDecoder, clip)));
    for (const { frames } of all)
      expect(frames.map(({ data }) => Math.round((data[0] * 219) / 255 / 8))).toEqual([
        0, 1, 2, 3, 4, 5,
      ]);
  });

  it('come from files of any name, which are never addresses', async () => {
    const film = makeFilm(...grey(2), ...lossless, place('named.mkv'));
    for (const name of ['-i.mkv', 'http:a.mkv', 'concat:a|b.mkv', 'a b %03d.mkv']) {
      copyFileSync(film, place(name));
      const before = process.cwd();
      process.chdir(folder);
      try {
        expect((await readBy(nodeAvDecoder, name)).frames).toHaveLength(2);
      } finally {
        process.chdir(before);
      }
    }
  });

  it('are refused in the same sentences where they are none', async () => {
    writeFileSync(place('text.mp4'), 'no film\n'.repeat(100));
    writeFileSync(place('list.mp4'), `ffconcat version 1.0\nfile 'named.mkv'\n`);
    writeFileSync(place('list.m3u8'), `#EXTM3U\n#EXTINF:1,\nnamed.mkv\n#EXT-X-ENDLIST\n`);
    const sound = makeFilm(...silence, place('sound.wav'));
    for (const path of [place('text.mp4'), place('list.mp4'), place('list.m3u8'), sound]) {
      const wanted = await probeFilm(path, undefined, ffmpegDecoder).catch(String);
      expect(wanted).toMatch(/this is no film that ffmpeg can read|sound alone/);
      expect(await probeFilm(path, undefined, nodeAvDecoder).catch(String)).toBe(wanted);
    }
  });
});

/** Files that this process has open, on Linux. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return [readlinkSync(join('/proc/self/fd', name))];
    } catch {
      return [];
    }
  });
}
