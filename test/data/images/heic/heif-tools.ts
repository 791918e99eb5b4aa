/** HEIC files by heif-enc, and their pixels by heif-convert: Debian's libheif-examples, with x265 and libde265. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

function run(program: string, args: readonly string[], folder: string): void {
  const { status, stderr, error } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr ?? error?.message}`);
}

/** @param picture a JPEG or PNG. @returns the HEIC */
export function encodeHeic(folder: string, picture: Buffer, ...options: string[]): Buffer {
  const source = picture[0] === 0xff ? 'source.jpg' : 'source.png';
  writeFileSync(join(folder, source), picture);
  run('heif-enc', [source, ...options, '-o', 'made.heic'], folder);
  return readFileSync(join(folder, 'made.heic'));
}

/** @returns a PNG, with the profile of the HEIC, but without its EXIF: what that says of orientation is not for HEIC's readers */
export function convertHeic(folder: string, heic: Buffer): Buffer {
  writeFileSync(join(folder, 'given.heic'), heic);
  run('heif-convert', ['given.heic', 'converted.png'], folder);
  return withoutExif(readFileSync(join(folder, 'converted.png')));
}

function withoutExif(png: Buffer): Buffer {
  const kept = [png.subarray(0, 8)];
  for (let at = 8; at < png.length; ) {
    const end = at + 12 + png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) !== 'eXIf') kept.push(png.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}
