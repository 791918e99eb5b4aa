/** Pictures through a pipe or a socket: each whole, in order, and none before it is asked for. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type FrameInput, SocketFrames, StreamFrames } from '../../../src/data/films/pipe.ts';

const length = 100_000;

/** A program that writes pictures, each of its number, and a piece of another. */
const program = (pictures: number) => [
  '-e',
  `for (let i = 0; i < ${pictures}; i++) require('fs').writeSync(1, Buffer.alloc(${length}, i));
   require('fs').writeSync(1, Buffer.alloc(10, 99));`,
];

const kinds: Record<string, (target: Uint8Array, pictures: number) => Promise<FrameInput>> = {
  'a socket': async (target, pictures) => {
    const frames = await SocketFrames.open(target);
    if (!frames) throw new Error('no socket could be made');
    spawn(process.execPath, program(pictures), { stdio: ['ignore', frames.far, 'inherit'] });
    frames.handOver();
    return frames;
  },
  'a pipe': async (target, pictures) => {
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    return new StreamFrames(
      spawn(process.execPath, program(pictures), { stdio: [...stdio] }).stdout,
      target,
    );
  },
};

describe.skipIf(process.platform === 'win32').each(Object.keys(kinds))(
  'pictures through %s',
  (kind) => {
    it('come whole and in their order; a piece at the end is none', async () => {
      const target = new Uint8Array(length);
      const frames = await kinds[kind](target, 20);
      for (let i = 0; i < 20; i++) {
        expect(await frames.next()).toBe(true);
        expect(new Set(target)).toEqual(new Set([i]));
        // The next one waits, however long the work on this takes.
        if (i === 3) await new Promise((resolve) => setTimeout(resolve, 100));
        expect(target[length - 1]).toBe(i);
      }
      expect(await frames.next()).toBe(false);
      expect(await frames.next()).toBe(false);
      frames.close();
    });

    it('end when they are closed', async () => {
      const frames = await kinds[kind](new Uint8Array(length), 0);
      expect(await frames.next()).toBe(false);
      frames.close();
    });
  },
);

it('no socket is made where its path is too long', async () => {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = `/tmp/${'x'.repeat(200)}`;
  try {
    expect(await SocketFrames.open(new Uint8Array(1))).toBeUndefined();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});
