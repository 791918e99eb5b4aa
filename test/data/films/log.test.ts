/** What ffmpeg tells of frames, also where messages of its threads stand in the middle of it. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { colourFactors } from '../../../src/data/films/kernel/colours.ts';
import { FfmpegLog } from '../../../src/data/films/log.ts';

const showinfo = '[Parsed_showinfo_0 @ 0x1] [info]';
const head = `${showinfo} config in time_base: 1/10, frame_rate: 10/1\n`;
const frame = (n: number, layout = 'yuv420p') =>
  `${showinfo} n:   ${n} pts:  ${n} pts_time:0.1 pos: 48 fmt:${layout} sar:1/1 s:640x360 type:I \n`;
const colours = (range: string, space: string) =>
  `${showinfo} color_range:${range} color_space:${space} color_primaries:unknown\n`;

function logOf(text: string): FfmpegLog {
  const stream = new PassThrough();
  stream.write(text);
  return new FfmpegLog(stream);
}

it('is their times and colours', async () => {
  const log = logOf(
    `${head}${frame(0)}${colours('tv', 'bt709')}${frame(1)}${colours('pc', 'bt2020nc')}${frame(2, 'yuvj420p')}${colours('unknown', 'unknown')}`,
  );
  expect(await log.next(0, 10)).toEqual({ time: 0, colours: colourFactors('bt709', false) });
  expect(await log.next(1, 10)).toEqual({ time: 0.1, colours: colourFactors('bt2020nc', true) });
  expect(await log.next(2, 10)).toEqual({ time: 0.2, colours: colourFactors('unknown', true) });
});

it('is torn apart, and colours are those of the frame before', async () => {
  const error = '[h264 @ 0x2] [error] error while decoding MB 2 17\n';
  const torn = `${showinfo} color_range:tv color_space:top block unavailable\n${error}`;
  const without = `${showinfo} color_range:${error}`;
  const log = logOf(
    `${head}${frame(0)}${colours('tv', 'bt709')}${frame(1)}${torn}${frame(2)}${without}`,
  );
  const expected = colourFactors('bt709', false);
  for (let i = 0; i < 3; i++)
    expect(await log.next(i, 10)).toEqual({ time: i / 10, colours: expected });
  expect(log).toMatchObject({ errors: 2, lastError: 'error while decoding MB 2 17' });
});

it('may come later than the frame', async () => {
  const stream = new PassThrough();
  const log = new FfmpegLog(stream);
  setTimeout(() => stream.write(`${head}${frame(0)}`), 50);
  expect((await log.next(0, 10)).time).toBe(0);
  stream.end();
  await expect(log.next(1, 10)).rejects.toThrow('without telling');
});
