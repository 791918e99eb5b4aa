import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanTar, type TarFile } from '../../../../src/data/shards/tar/scan.ts';
import { newFolder, tarOf } from '../shards.ts';

async function scan(path: string): Promise<{ files: TarFile[]; fault: string | undefined }> {
  const files: TarFile[] = [];
  try {
    for await (const file of scanTar(path)) files.push(file);
  } catch (error) {
    return { files, fault: String(error) };
  }
  return { files, fault: undefined };
}

const long = `${'folder-of-a-long-name/'.repeat(4)}${'n'.repeat(60)}.jpg`;
const longer = `${'d'.repeat(150)}/${'ö'.repeat(70)}.jpg`;

describe.each(['ustar', 'gnu', 'pax', 'oldgnu'])('a tar of the format %s', (format) => {
  const files = { 'a/0.jpg': 'picture', [long]: 'x'.repeat(1025), 'empty.txt': '', b: 'last' };

  it('has the files that GNU tar put there', async () => {
    // ustar has no place for the longest name.
    const all = format === 'ustar' ? files : { ...files, [longer]: 'y' };
    const path = tarOf(join(newFolder(), 'x.tar'), all, `--format=${format}`);
    const bytes = readFileSync(path);
    const found = await scan(path);
    expect(found.fault).toBeUndefined();
    expect(
      found.files.map(({ name, offset, size }) => [
        name,
        bytes.toString('utf8', offset, offset + size),
      ]),
    ).toEqual(Object.entries(all));
  });

  it('that is cut off gives what is whole and says where', async () => {
    const path = tarOf(join(newFolder(), 'x.tar'), files, `--format=${format}`);
    const whole = await scan(path);
    const last = whole.files[whole.files.length - 1];
    for (const end of [last.offset + 2, last.offset - 512, last.offset - 100]) {
      truncateSync(path, end);
      const cut = await scan(path);
      expect(cut.files).toEqual(whole.files.slice(0, -1));
      expect(cut.fault).toBe(
        `InputError: ${path}: the tar is cut off behind empty.txt; fetch or write the shard again.`,
      );
    }
  });
});

describe('a tar', () => {
  it('with a damaged header is told from one that is cut off', async () => {
    const path = tarOf(join(newFolder(), 'x.tar'), { 'a.jpg': 'a', 'b.jpg': 'b' });
    const bytes = readFileSync(path);
    bytes[1024] ^= 1;
    writeFileSync(path, bytes);
    expect((await scan(path)).fault).toMatch(/the tar is damaged behind a\.jpg;/);
  });

  it('that is a text is damaged at its start', async () => {
    const path = join(newFolder(), 'x.tar');
    writeFileSync(path, 'no tar\n'.repeat(200));
    expect((await scan(path)).fault).toMatch(/the tar is damaged at its start;/);
  });

  it('leaves out folders and links', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'c/d'), { recursive: true });
    writeFileSync(join(folder, 'c/d/0.jpg'), 'a');
    symlinkSync('0.jpg', join(folder, 'c/d/1.jpg'));
    linkSync(join(folder, 'c/d/0.jpg'), join(folder, 'c/d/2.jpg'));
    execFileSync('tar', ['-cf', join(folder, 'x.tar'), '-C', folder, '--sort=name', './c']);
    const { files } = await scan(join(folder, 'x.tar'));
    expect(files.map(({ name }) => name)).toEqual(['c/d/0.jpg']);
  });

  it('of more than 8 GiB in one file has its size', async () => {
    // A file of holes: GNU's base-256 size, and pax's record of it.
    for (const format of ['gnu', 'pax']) {
      const folder = newFolder();
      const big = 2 ** 33 + 5;
      const path = tarOf(join(folder, 'x.tar'), { 'a.jpg': 'a' }, `--format=${format}`);
      truncateSync(path, 0);
      writeFileSync(join(folder, 'big.jpg'), '');
      truncateSync(join(folder, 'big.jpg'), big);
      const head = execFileSync(
        'bash',
        ['-c', `tar -cf - --format=${format} -C "$0" big.jpg | head -c 2048`, folder],
        { maxBuffer: 4096 },
      );
      writeFileSync(path, head);
      truncateSync(path, big + 8192);
      const [file] = (await scan(path)).files;
      expect(file).toMatchObject({ name: 'big.jpg', size: big });
    }
  });
});
