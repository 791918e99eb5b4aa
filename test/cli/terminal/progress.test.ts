/** The progress line, in a pipe and on a terminal, by a clock that the test sets. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { ProgressLine } from '../../../src/cli/terminal/progress.ts';

function opened(isTTY: boolean) {
  let time = 0;
  const stream = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
  const line = new ProgressLine({ stream, now: () => time });
  const at = (seconds: number) => {
    time = 1000 * seconds;
    return line;
  };
  return { line, at, said: () => String(stream.read() ?? '') };
}

it('counts steps, and those that were skipped apart from the rate', () => {
  const { line, at, said } = opened(false);
  line.total = 40;
  for (let i = 0; i < 9; i++) at(9).advance(i < 4);
  expect(said()).toBe('');
  at(10).advance();
  expect(said()).toBe('10 of 40 pictures, 36.0/min, 0:50 left\n');
});

it('reaches a place among so many, and goes on from there', () => {
  const { at, said } = opened(false);
  at(5).reach(100, 400);
  expect(said()).toBe('');
  at(10).reach(200, 400);
  expect(said()).toBe('200 of 400 pictures, 20.0/s, 0:10 left\n');
  at(21).advance();
  expect(said()).toMatch(/^201 of 400 pictures/);
});

it('is one line that changes on a terminal, and goes when others follow', () => {
  const { line, at, said } = opened(true);
  at(1).reach(1, 2);
  at(1.1).reach(2, 2);
  expect(said()).toBe('\r\x1b[K1 of 2 pictures, 1.0/s, 0:01 left');
  line.clear();
  line.clear();
  expect(said()).toBe('\r\x1b[K');
});
