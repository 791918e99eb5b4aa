/** Shards by the built command: inspected, captioned by tasks, packed; exit codes and what is left behind. */
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tiny } from '../caption/models.ts';
import { newFolder, tarOf } from '../data/shards/shards.ts';
import { runRefcap } from './refcap.ts';

const folder = newFolder();
const names = readdirSync(join(tiny, 'images')).sort().slice(0, 4);

function refcap(args: readonly string[], env: Record<string, string> = {}) {
  return runRefcap(args, { cwd: folder, env });
}

beforeAll(() => {
  for (const shard of [0, 1]) {
    const own = names.slice(2 * shard, 2 * shard + 2);
    const files = own.flatMap((name, i): [string, string | Buffer][] => [
      [name, readFileSync(join(tiny, 'images', name))],
      [name.replace(/\..*$/, '.txt'), 'a dog\n'],
      [name.replace(/\..*$/, '.json'), JSON.stringify({ split: i === 0 ? 'train' : 'val' })],
    ]);
    tarOf(join(folder, `x-${shard}.tar`), Object.fromEntries(files));
  }
});

describe('refcap caption --shards', () => {
  it("captions a Slurm task's shards, and ends with 3 where one is not whole", () => {
    const args = ['caption', '--model', tiny, '--shards', 'x-{0..3}.tar', '--output', 'out'];
    const task = (id: number) => ({
      SLURM_ARRAY_TASK_ID: String(id),
      SLURM_ARRAY_TASK_MIN: '1',
      SLURM_ARRAY_TASK_COUNT: '2',
    });
    tarOf(join(folder, 'x-3.tar'), { 'a.jpg': 'x'.repeat(2000) });
    truncateSync(join(folder, 'x-3.tar'), 1500);
    const first = refcap(args, task(1));
    expect(first.stderr).toMatch(
      /^shards: 1 captioned, 1 missing; 2 pictures captioned, 1 failed in/,
    );
    expect(first.stderr).toContain('refcap: x-2.tar: there is no such shard; check the name.');
    expect([first.status, first.stdout]).toEqual([3, '']);
    const second = refcap(args, task(2));
    expect(second.stderr).toContain('refcap: x-3.tar: the tar is cut off at its start;');
    expect(second.status).toBe(3);
    expect(readdirSync(join(folder, 'out')).filter((name) => name.endsWith('._SUCCESS'))).toEqual([
      'x-0._SUCCESS',
      'x-1._SUCCESS',
    ]);
    const other = refcap([...args.slice(0, -2), '--output', 'out', '--beams', '2']);
    expect(other.stderr).toMatch(/^refcap: out: its captions are made with other settings/);
    expect(other.status).toBe(1);
  });

  it.each([
    [['--shards', 'x-0.tar'], '--shards needs --output'],
    [['--shards', 'x-0.tar', '--output', 'o', 'y.jpg'], 'exclude each other'],
    [['--shards', 'photos', '--output', 'o'], 'shards end in .tar, .zip or .parquet'],
    [['--shards', 'x-0.tar', '--output', 'o', '--resume'], '--resume'],
    [['--tasks', '2', 'y.jpg'], '--tasks needs --shards'],
  ])('is refused as wrong usage: %j', (args, sentence) => {
    const { status, stderr } = refcap(['caption', '--model', tiny, ...args]);
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
  });
});

describe('refcap data', () => {
  it('inspects shards, packs them, and inspects the pack', () => {
    const inspect = (source: string) => {
      const { status, stdout } = refcap(['data', 'inspect', source, '--output-format', 'json']);
      expect(status).toBe(0);
      return JSON.parse(stdout);
    };
    const before = inspect('x-{0..1}.tar');
    expect(before.splits).toMatchObject({ train: { images: 2 }, dev: { images: 2 } });
    const pack = ['data', 'pack', 'x-{0..1}.tar', 'packed', '--shard-size'];
    const packed = refcap([...pack, '1kB']);
    expect(packed.stdout).toMatch(/^split +shards +images +captions +bytes\ntrain +\d/);
    expect(packed.status).toBe(0);
    expect(inspect('packed').splits).toEqual(before.splits);
    const again = refcap([...pack, '2kB']);
    expect(again.stderr).toBe(
      'refcap: packed: it holds a pack with another --shard-size (1000); choose another folder.\n',
    );
    expect(refcap([...pack, '1 potato']).status).toBe(2);
  });
});
