/** Films for the tests, made by ffmpeg; where it is missing, tests of films are skipped. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ffmpegAbilities } from '../../../src/data/films/command.ts';
import { shared } from '../../paths.ts';

export const hasFfmpeg: boolean = spawnSync('ffmpeg', ['-version']).status === 0;
if (!hasFfmpeg) console.warn('ffmpeg is not installed: tests of films are skipped');

const clipsFolder = shared === undefined ? '' : join(shared, 'video');
/** The folder of shared clips, or undefined where it is not. */
export const clips: string | undefined = existsSync(clipsFolder) ? clipsFolder : undefined;

/** Runs ffmpeg; the last argument is the film to be written. */
export function makeFilm(...args: readonly string[]): string {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return args[args.length - 1];
}

/** Frames that are one grey each, 8 levels lighter than the one before: a frame's brightness tells its number. */
export function grey(frames: number, size = '64x48', rate = 10): string[] {
  const source = `color=black:s=${size}:r=${rate},format=yuv420p,geq=lum='16+8*N':cb=128:cr=128`;
  return ['-f', 'lavfi', '-t', String(frames / rate), '-i', source];
}

/** Frames of nothing but what their colours say, kept to the bit. */
export const lossless: readonly string[] = ['-c:v', 'ffv1'];

/** Whether this ffmpeg makes RGB of planes as the kernel does, as those for x86 do. */
export const convertsPlanes: boolean = hasFfmpeg && (await ffmpegAbilities()).convertsAlike;

/** So many bytes that follow no pattern. */
export function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed | 1;
  for (let i = 0; i < length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
