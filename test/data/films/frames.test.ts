/** Films as ffmpeg writes them: frames with their own times, upright, whatever else the file holds. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { ffmpegDecoder } from '../../../src/data/films/ffmpeg.ts';
import { type ReadOptions, readFrames } from '../../../src/data/films/frames.ts';
import { probeFilm } from '../../../src/data/films/probe.ts';
import { convertsPlanes, grey, hasFfmpeg, lossless, makeFilm } from './films.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-films-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string) => join(folder, name);

/** Each frame's number in the film, by its grey, and its time. */
async function read(path: string, options: ReadOptions = {}): Promise<[number, number][]> {
  const film = await probeFilm(path);
  const frames: [number, number][] = [];
  for await (const { data, time } of readFrames(film, options)) {
    // Levels from 16 up are spread over 0 to 255.
    frames.push([Math.round((data[0] * 219) / 255 / 8), Number(time.toFixed(4))]);
  }
  return frames;
}

/** Whether this ffmpeg lists a filter or an encoder. */
function canDo(list: 'filters' | 'encoders', name: string): boolean {
  const { stdout = '' } = spawnSync('ffmpeg', ['-hide_banner', `-${list}`], { encoding: 'utf8' });
  return String(stdout).includes(` ${name} `);
}

const silence = ['-f', 'lavfi', '-t', '4', '-i', 'anullsrc=r=8000:cl=mono'];

describe.skipIf(!hasFfmpeg)('frames of a film', () => {
  it('come one after the other, with their times', async () => {
    const film = makeFilm(...grey(12), ...lossless, place('plain.mkv'));
    expect(await read(film)).toEqual(Array.from({ length: 12 }, (_, i) => [i, i / 10]));
  });

  it('have their own times where the rate varies', async () => {
    const times = [
      '-vf',
      'settb=1/1000,setpts=N*N*20',
      '-fps_mode',
      'passthrough',
      '-enc_time_base',
      '1:1000',
    ];
    const film = makeFilm(...grey(8), ...times, ...lossless, place('varying.mkv'));
    expect(await read(film)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => [i, (i * i * 20) / 1000]));
  });

  it('have the time at which players show them where the picture begins after the sound', async () => {
    const late = [...silence, '-itsoffset', '2', ...grey(5), '-map', '0', '-map', '1'];
    const film = makeFilm(...late, ...lossless, '-c:a', 'pcm_s16le', place('late.mkv'));
    expect((await read(film)).map(([, time]) => time)).toEqual([2, 2.1, 2.2, 2.3, 2.4]);
  });

  it('count from the file’s own beginning, whatever its clock says', async () => {
    const film = makeFilm(
      ...grey(5),
      '-c:v',
      'mpeg2video',
      '-output_ts_offset',
      '50',
      place('fifty.ts'),
    );
    expect((await read(film)).map(([, time]) => time)).toEqual([0, 0.1, 0.2, 0.3, 0.4]);
  });

  it('are those between --start and --end, by their own times', async () => {
    const film = makeFilm(...grey(25), '-c:v', 'mpeg4', '-g', '12', '-q:v', '2', place('part.mp4'));
    const times = (await read(film, { start: 0.75, end: 1.2 })).map(([, time]) => time);
    expect(times).toEqual([0.8, 0.9, 1, 1.1]);
    const late = [...silence, '-itsoffset', '2', ...grey(10), '-map', '0', '-map', '1'];
    const other = makeFilm(...late, ...lossless, '-c:a', 'pcm_s16le', place('late-part.mkv'));
    expect(await read(other, { start: 2.5, end: 2.8 })).toEqual([
      [5, 2.5],
      [6, 2.6],
      [7, 2.7],
    ]);
  });

  it('are upright', async () => {
    const half = 'color=black:s=64x32:r=10,drawbox=w=32:h=32:c=white:t=fill,format=yuv420p';
    const flat = makeFilm(
      '-f',
      'lavfi',
      '-t',
      '0.3',
      '-i',
      half,
      '-c:v',
      'mpeg4',
      place('flat.mp4'),
    );
    makeFilm('-i', flat, '-c', 'copy', '-metadata:s:v', 'rotate=90', place('turned.mp4'));
    const film = await probeFilm(place('turned.mp4'));
    expect([film.width, film.height]).toEqual([32, 64]);
    for await (const { width, height, data } of readFrames(film)) {
      expect([width, height]).toEqual([32, 64]);
      const at = (x: number, y: number) => data[3 * (32 * y + x)];
      // The white half is above or below, as this ffmpeg understands the angle.
      expect([at(2, 10), at(2, 54)]).toEqual([at(29, 10), at(29, 54)]);
      expect(Math.abs(at(16, 10) - at(16, 54))).toBeGreaterThan(200);
    }
  });

  it('keep their number of pixels, and the shape of a pixel is told', async () => {
    const film = makeFilm(...grey(2), '-vf', 'setsar=16/11', '-c:v', 'mpeg4', place('wide.mp4'));
    expect(await probeFilm(film)).toMatchObject({ width: 64, height: 48, pixelAspect: 16 / 11 });
  });

  it.skipIf(!canDo('encoders', 'libaom-av1'))('are read of AV1', async () => {
    const film = makeFilm(
      ...grey(6),
      ...['-c:v', 'libaom-av1', '-cpu-used', '8', '-crf', '1', '-g', '3', place('av1.mkv')],
    );
    expect(await read(film)).toEqual([0, 1, 2, 3, 4, 5].map((i) => [i, i / 10]));
  });

  it.skipIf(!canDo('filters', 'zscale'))('of a high dynamic range are mapped', async () => {
    // Codes of SMPTE ST 2084 for 1, 26, 100, 203 and 1,000 nits, in 10 bits of the narrow range.
    const codes = [196, 394, 509, 573, 723];
    const levels = codes.map((code, i) => `if(eq(N,${i}),${code},`).join('');
    const source = `color=black:s=64x48:r=10,format=yuv420p10le,geq=lum='${levels}0${')'.repeat(codes.length)}':cb=512:cr=512`;
    const tags = ['-color_primaries', 'bt2020', '-colorspace', 'bt2020nc', '-color_range', 'tv'];
    const film = makeFilm(
      ...['-f', 'lavfi', '-t', '0.5', '-i', source, ...lossless],
      ...[...tags, '-color_trc', 'smpte2084', place('hdr.mkv')],
    );
    expect(await probeFilm(film)).toMatchObject({ isHdr: true });
    const greys: number[] = [];
    for await (const { data } of readFrames(await probeFilm(film))) {
      greys.push(data[0]);
      expect(Math.max(...data.subarray(0, 3)) - Math.min(...data.subarray(0, 3))).toBeLessThan(3);
    }
    expect(greys).toHaveLength(codes.length);
    expect(greys).toEqual(greys.toSorted((a, b) => a - b));
    // Taken for codes of the ordinary range they come out pale: 37, 95, 127, 146 and 190.
    expect(greys[0]).toBeLessThan(30);
    expect(greys[4]).toBeGreaterThan(240);
  });

  it('are not the cover, nor subtitles', async () => {
    const cover = makeFilm(
      '-f',
      'lavfi',
      '-i',
      'color=red:s=32x32',
      '-frames:v',
      '1',
      place('c.png'),
    );
    writeFileSync(place('s.srt'), '1\n00:00:00,000 --> 00:00:01,000\nHello\n');
    const inputs = ['-i', cover, '-i', place('s.srt'), ...grey(4)];
    const maps = [
      '-map',
      '0',
      '-map',
      '1',
      '-map',
      '2',
      '-c:v:0',
      'copy',
      '-c:v:1',
      'mpeg4',
      '-c:s',
      'mov_text',
    ];
    const film = makeFilm(
      ...inputs,
      ...maps,
      '-disposition:v:0',
      'attached_pic',
      place('cover.mp4'),
    );
    expect(await probeFilm(film)).toMatchObject({ width: 64 });
    expect((await read(film)).map(([, time]) => time)).toEqual([0, 0.1, 0.2, 0.3]);
  });

  it('come from files of any name, which are never options, addresses or patterns', async () => {
    const film = makeFilm(...grey(2), ...lossless, place('named.mkv'));
    for (const name of [
      '-i.mkv',
      'concat:a|b.mkv',
      'http:x.mkv',
      'a%03d.mkv',
      "it's.mkv",
      'a b.mkv',
    ]) {
      copyFileSync(film, place(name));
      expect(await read(place(name))).toHaveLength(2);
    }
    const before = process.cwd();
    process.chdir(folder);
    try {
      for (const name of ['-i.mkv', 'concat:a|b.mkv', 'http:x.mkv'])
        expect(await read(name)).toHaveLength(2);
    } finally {
      process.chdir(before);
    }
  });

  it('are read up to where a file is damaged, with a warning', async () => {
    const noise = 'color=black:s=64x48:r=10,format=yuv420p,noise=alls=50:allf=t';
    const source = ['-f', 'lavfi', '-t', '2.5', '-i', noise, '-c:v', 'mpeg4'];
    const film = makeFilm(...source, '-movflags', 'faststart', place('cut.mp4'));
    truncateSync(film, Math.floor(statSync(film).size * 0.6));
    const warnings: string[] = [];
    const frames = await read(film, { onWarning: (sentence) => warnings.push(sentence) });
    expect(frames.length).toBeGreaterThan(5);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /cut\.mp4: parts of this film are damaged .*; what could be read was used\.$/,
    );
  });

  it.each([
    ['149x42', 'yuv420p', 'bt709', true],
    ['64x48', 'yuvj420p', 'smpte170m', true],
    ['64x47', 'yuv420p', 'bt709', false],
    ['64x48', 'yuv444p', 'bt709', false],
  ])(
    'are the RGB that ffmpeg makes, though read as planes: %s, %s, %s',
    async (size, layout, space, mayBePlanes) => {
      const source = `color=gray:s=${size}:r=10,format=rgb24,noise=alls=90:allf=t,format=${layout}`;
      const path = makeFilm(
        ...['-f', 'lavfi', '-t', '0.5', '-i', source, '-colorspace', space],
        ...[...lossless, place(`noise-${size}-${layout}.mkv`)],
      );
      const film = await probeFilm(path);
      const filters = `scale=${film.width}:${film.height}:flags=bicubic,format=rgb24`;
      const args = ['-v', 'error', '-i', path, '-vf', filters, '-f', 'rawvideo', 'pipe:1'];
      const wanted = spawnSync('ffmpeg', args).stdout;
      const frames: Uint8Array[] = [];
      for await (const { data, place } of readFrames(film)) {
        frames.push(data.slice());
        expect(place?.colours !== undefined).toBe(mayBePlanes && convertsPlanes);
      }
      expect(frames).toHaveLength(5);
      expect(Buffer.compare(Buffer.concat(frames), wanted)).toBe(0);
    },
  );

  it('are read, and measured, without WebAssembly too', async () => {
    const film = await probeFilm(
      makeFilm(...grey(6), '-c:v', 'mpeg4', '-q:v', '2', place('plain.mp4')),
    );
    const measured = async () => {
      const reader = await import('../../../src/data/films/frames.ts');
      const { FrameMeter } = await import('../../../src/video/scenes/measure.ts');
      const meter = new FrameMeter(film.width, film.height);
      const all: { change: number; brightness: number; isPlaced: boolean }[] = [];
      for await (const frame of reader.readFrames(film)) {
        const { change, brightness } = meter.measure(frame);
        all.push({ change, brightness, isPlaced: frame.place !== undefined });
      }
      return all;
    };
    const usual = await measured();
    vi.stubGlobal('WebAssembly', undefined);
    vi.resetModules();
    try {
      const without = await measured();
      expect(without.map(({ isPlaced }) => isPlaced)).toEqual(Array(6).fill(false));
      const values = ({ change, brightness }: (typeof usual)[0]) => [change, brightness];
      expect(without.map(values)).toEqual(usual.map(values));
    } finally {
      vi.unstubAllGlobals();
      vi.resetModules();
    }
  });

  it('stop with the signal, and ffmpeg with them', async () => {
    const film = await probeFilm(
      makeFilm(...grey(200, '320x240', 30), '-c:v', 'mpeg4', place('long.mp4')),
    );
    const stop = new AbortController();
    const reading = async () => {
      for await (const { index } of readFrames(film, { signal: stop.signal }))
        if (index === 3) stop.abort();
    };
    await expect(reading()).rejects.toThrow(/abort/i);
    const left = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(left.stdout).not.toContain(place('long.mp4'));
  });

  it('of which few are wanted end ffmpeg', async () => {
    const film = await probeFilm(place('long.mp4'));
    for await (const { index } of readFrames(film)) if (index === 1) break;
    const left = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(left.stdout).not.toContain(place('long.mp4'));
  });
});

describe.skipIf(!hasFfmpeg)('what is no film', () => {
  it('is told in a sentence', async () => {
    writeFileSync(place('text.mp4'), 'no film\n'.repeat(100));
    writeFileSync(place('empty.mp4'), '');
    writeFileSync(place('list.mp4'), `ffconcat version 1.0\nfile 'named.mkv'\n`);
    const sound = makeFilm(...silence, place('sound.wav'));
    const cases: [string, RegExp][] = [
      [place('missing.mp4'), /missing\.mp4: there is no such file\.$/],
      [place('empty.mp4'), /empty\.mp4: the file is empty\.$/],
      [place('text.mp4'), /text\.mp4: this is no film that ffmpeg can read, or it is damaged/],
      [place('list.mp4'), /list\.mp4: this is no film/],
      [sound, /sound\.wav: there is sound alone, no film\.$/],
      [folder, /this is no file/],
    ];
    for (const [path, sentence] of cases) await expect(probeFilm(path)).rejects.toThrow(sentence);
  });

  it('is a film that ends before --start, has nothing between it and --end, or lost its beginning', async () => {
    const film = makeFilm(...grey(5), ...lossless, place('short.mkv'));
    await expect(read(film, { start: 9 })).rejects.toThrow(/there are no frames from 9 s on/);
    await expect(read(film, { start: 0.11, end: 0.15 })).rejects.toThrow(
      /short\.mkv: there are no frames from 0\.11 s to 0\.15 s, the next is at 0\.2 s; choose other times\.$/,
    );
    const cut = makeFilm(...grey(25), '-c:v', 'mpeg4', place('tail.mp4'));
    truncateSync(cut, 2000);
    await expect(read(cut)).rejects.toThrow(/tail\.mp4: this is no film/);
  });

  it('says how to get ffmpeg where it is missing', async () => {
    const film = makeFilm(...grey(2), ...lossless, place('here.mkv'));
    const before = process.env.PATH;
    process.env.PATH = folder;
    try {
      await expect(probeFilm(film, undefined, ffmpegDecoder)).rejects.toThrow(
        /ffprobe, which is not installed .*apt install ffmpeg/,
      );
    } finally {
      process.env.PATH = before;
    }
  });
});
