/** AVIF and HEIC pictures of the usual encoders, and their pixels by decoders of others than sharp. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { repositoryRoot } from '../../paths.ts';
import { change, hasExiftool } from '../exiftool.ts';

const isThere = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args).status === 0;

/** libheif's tools with an encoder for HEIC: Debian's libheif-examples. */
export const hasHeifTools: boolean = /x265/.test(
  spawnSync('heif-enc', ['--list-encoders'], { encoding: 'utf8' }).stdout ?? '',
);
/** libavif's tools: Debian's libavif-bin. */
export const hasAvifTools: boolean = isThere('avifenc', '--version');
export const whyNoEncoders: string = `${[
  ...(hasHeifTools ? [] : ["heif-enc (Debian's libheif-examples)"]),
  ...(hasAvifTools ? [] : ["avifenc (Debian's libavif-bin)"]),
].join(' and ')} not here`;

/** How to make each picture of a, b (the same size), a picture with transparency and one of four quarters. */
const recipes: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  'all.heic': ['heif-enc', 'a.jpg', '-o', 'all.heic'],
  'alpha-thumbnail.heic': ['heif-enc', '-t', '16', 'alpha.png', '-o', 'alpha-thumbnail.heic'],
  'two-pictures.heic': ['heif-enc', '-t', '16', 'a.jpg', 'b.jpg', '-o', 'two-pictures.heic'],
  'libheif.avif': ['heif-enc', '-A', 'a.jpg', '-o', 'libheif.avif'],
  'all.avif': ['avifenc', '-s', '10', 'a.jpg', 'all.avif'],
  'alpha.avif': ['avifenc', '-s', '10', 'alpha.png', 'alpha.avif'],
  'deep.avif': ['avifenc', '-s', '10', '-d', '10', '-y', '444', 'b.png', 'deep.avif'],
  'grid.avif': [
    ...(['avifenc', '-s', '10', '--grid', '2x1'] as const),
    ...['large.png', 'large.png', 'grid.avif'],
  ],
  'sequence.avif': ['avifenc', '-s', '10', '--fps', '5', 'film.y4m', 'sequence.avif'],
};

/** The names of the pictures that can be made here. */
export const encodedNames: readonly string[] = Object.keys(recipes).filter((name) =>
  recipes[name][0] === 'heif-enc' ? hasHeifTools : hasAvifTools,
);

/** Makes them. @param folder empty */
export async function encodedPictures(folder: string): Promise<Record<string, Buffer>> {
  if (encodedNames.length === 0) return {};
  const small = () => sharp(join(repositoryRoot, 'samples/dog-on-grass.jpg')).resize(48, 32);
  const put = (name: string, bytes: Buffer) => writeFileSync(join(folder, name), bytes);
  const jpeg = await small().withExif({ IFD0: { Make: 'A' } });
  put('a.jpg', await jpeg.withIccProfile('p3').jpeg().toBuffer());
  put('b.jpg', await small().flip().jpeg().toBuffer());
  put('b.png', await small().flip().png().toBuffer());
  put('alpha.png', await small().ensureAlpha(0.5).png().toBuffer());
  put('large.png', await small().resize(64, 64).png().toBuffer());
  put('film.y4m', film());
  if (hasExiftool)
    for (const name of ['a.jpg', 'b.jpg'])
      change(join(folder, name), [`-XMP-dc:Title=${name}`, '-XMP-xmp:Rating=4']);
  const made: Record<string, Buffer> = {};
  for (const name of encodedNames) {
    const [program, ...args] = recipes[name];
    const { status, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
    made[name] = readFileSync(join(folder, name));
  }
  return made;
}

/** Three frames of noise. */
function film(): Buffer {
  const frame = (n: number) => {
    const pixels = createHash('shake256', { outputLength: (48 * 32 * 3) / 2 });
    return Buffer.concat([Buffer.from('FRAME\n'), pixels.update(`${n}`).digest()]);
  };
  return Buffer.concat([Buffer.from('YUV4MPEG2 W48 H32 F5:1 C420jpeg\n'), ...[0, 1, 2].map(frame)]);
}

/** What the tools decode of every picture in a file, and what libheif tells of it but for XMP. */
export async function decoded(path: string): Promise<string[]> {
  const found: string[] = [];
  if (hasHeifTools) {
    const out = `${path}.png`;
    const { stdout } = spawnSync('heif-convert', [path, out], { encoding: 'utf8' });
    for (const [, written] of stdout.matchAll(/Written to (.*)/g)) {
      const pixels = await sharp(written).raw().toBuffer();
      found.push(`libheif ${createHash('sha256').update(pixels).digest('hex').slice(0, 16)}`);
    }
    const told = spawnSync('heif-info', [path], { encoding: 'utf8' }).stdout;
    found.push(told.replace(/ {2}(?:XMP: .*|none)\n/g, ''));
  }
  for (let i = 0; hasAvifTools && path.endsWith('.avif') && i < 3; i++) {
    const out = `${path}.y4m`;
    if (spawnSync('avifdec', ['--index', String(i), path, out]).status !== 0) break;
    const pixels = readFileSync(out);
    found.push(`libavif ${createHash('sha256').update(pixels).digest('hex').slice(0, 16)}`);
    rmSync(out);
  }
  return found;
}
