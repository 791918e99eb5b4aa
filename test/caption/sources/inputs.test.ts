/** Which pictures inputs stand for: folders and links, lists, names in other code points. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InputOptions, listInputs } from '../../../src/caption/sources/inputs.ts';
import { readList } from '../../../src/caption/sources/list.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-inputs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(...names: string[]): void {
  for (const name of names) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), '');
  }
}

/** Each input's kind and name, or what is said of it, below the test's folder. */
async function list(input: string | Readable, options: InputOptions = {}): Promise<string[]> {
  const [inputs, more] =
    typeof input === 'string' ? [[join(folder, input)], {}] : [['-'], { stdin: input }];
  const found: string[] = [];
  for await (const one of listInputs(inputs, { ...options, ...more }))
    found.push(one.kind === 'nothing' ? one.error.message : `${one.kind} ${one.name}`);
  return found.map((text) => text.replaceAll(`${folder}/`, ''));
}

describe('a folder', () => {
  it('gives its pictures, and names those of kinds that are not read', async () => {
    write(
      'mixed/a.jpg',
      'mixed/b.BMP',
      'mixed/c.JXL',
      'mixed/d.txt',
      'mixed/.e.jpg',
      'mixed/f.svg',
      'mixed/g.HEIC',
    );
    expect(await list('mixed')).toEqual([
      'file mixed/a.jpg',
      'file mixed/b.BMP',
      'passed over mixed/c.JXL',
      'passed over mixed/f.svg',
      'file mixed/g.HEIC',
    ]);
    expect(await list('mixed', { allowSvg: true })).toContain('file mixed/f.svg');
    write('phone/a.jxl');
    expect(await list('phone')).toEqual([
      'passed over phone/a.jxl',
      'phone: there are no images of a kind that is read in this folder (--recursive looks below it).',
    ]);
  });

  it.skipIf(process.platform === 'win32')(
    'follows links, and ends where they go round',
    async () => {
      write('real/x.jpg', 'linked/b.jpg', 'linked/own/c.jpg');
      symlinkSync('../real', join(folder, 'linked/a'));
      symlinkSync('..', join(folder, 'linked/own/up'));
      symlinkSync('nowhere', join(folder, 'linked/z.jpg'));
      expect(await list('linked', { recursive: true })).toEqual([
        'file linked/a/x.jpg',
        'file linked/b.jpg',
        'file linked/own/c.jpg',
        'file linked/z.jpg',
      ]);
      expect(await list('linked')).toEqual(['file linked/b.jpg', 'file linked/z.jpg']);
    },
  );

  it.skipIf(process.platform !== 'linux')('tells of a name that is not UTF-8', async () => {
    write('names/a.jpg', 'names/\ufffd.jpg');
    writeFileSync(Buffer.from(`${folder}/names/caf\xe9.jpg`, 'latin1'), '');
    expect(await list('names')).toEqual([
      'file names/a.jpg',
      'names/caf\ufffd.jpg: the name is not valid UTF-8; rename the file.',
      'file names/\ufffd.jpg',
    ]);
  });
});

describe('a list', () => {
  const lines = async (...chunks: (string | Uint8Array)[]) => {
    const found: string[] = [];
    for await (const line of readList(Readable.from(chunks, { objectMode: true })))
      found.push(line);
    return found;
  };

  it('parts at any line end, wherever chunks do', async () => {
    expect(await lines('a\nb\n\n c \n')).toEqual(['a', 'b', ' c ']);
    expect(await lines('a\r', '\nb\r\n', 'c')).toEqual(['a', 'b', 'c']);
    expect(await lines('a\rb\r', 'c\r')).toEqual(['a', 'b', 'c']);
    expect(await lines('\ufeffa\n')).toEqual(['a']);
    const bytes = Buffer.from('\ufeffé\n狗');
    expect(await lines(...Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(['é', '狗']);
  });

  it('parts at zero bytes, of find -print0, alone', async () => {
    expect(await lines('new\0line\nb\0', 'c\0')).toEqual(['new', 'line\nb', 'c']);
  });

  it('ends when the signal is aborted', async () => {
    const stop = new AbortController();
    const stream = new Readable({ read: () => undefined });
    stream.push('a\nb');
    const found: string[] = [];
    for await (const line of readList(stream, stop.signal)) {
      found.push(line);
      stop.abort();
    }
    expect(found).toEqual(['a']);
    expect(stream.destroyed).toBe(true);
  });

  it('finds names whose accents are written otherwise, and keeps the spelling of the list', async () => {
    const decomposed = 'cafe\u0301.jpg';
    write(`accents/${decomposed}`, 'accents/ space.jpg ');
    const composed = join(folder, 'accents', 'caf\u00e9.jpg');
    const inputs = [];
    for await (const input of listInputs([composed])) inputs.push(input);
    const path = join(folder, 'accents', decomposed);
    expect(inputs).toEqual([{ kind: 'file', name: composed, path }]);
    const spaced = `${folder}/accents/ space.jpg \n  ${path}  \n`;
    expect(await list(Readable.from([spaced]))).toEqual([
      'file accents/ space.jpg ',
      `file accents/${decomposed}`,
    ]);
  });
});
