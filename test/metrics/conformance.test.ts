/** The metrics against the reference programs' values, by the conformance runner itself. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../verify/metrics.ts';
import { fixtures, shared } from '../paths.ts';

const folder = join(fixtures, 'metrics');
const larger = shared && join(shared, 'fixtures/metrics');

async function verified(path: string): Promise<{ code: number; lines: string[] }> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const code = await run([path]);
  return { code, lines: log.mock.calls.map(([line]) => String(line)) };
}

afterEach(() => vi.restoreAllMocks());

describe('the conformance runner', () => {
  it('finds every value of the fixtures equal', async () => {
    const { code, lines } = await verified(folder);
    expect(lines.filter((line) => line.includes('FAILS'))).toEqual([]);
    expect(code).toBe(0);
    const names = lines.map((line) => line.split('  ')[0]);
    for (const name of ['tokens', 'Bleu_4 (corpus)', 'CIDEr', 'METEOR statistics', 'sacreBLEU']) {
      expect(names).toContain(name);
    }
  });

  it.runIf(larger && existsSync(larger))('finds the larger fixtures equal', async () => {
    const { code, lines } = await verified(larger ?? '');
    expect(lines.filter((line) => line.includes('FAILS'))).toEqual([]);
    expect(code).toBe(0);
  });

  it.each([
    ['a score of an image', 'coco.CIDEr', (item: Item) => (item.coco.CIDEr += 2e-6)],
    ['a statistic', 'METEOR_stats', (item: Item) => (item.coco.METEOR_stats = '1.0 2.0')],
    ['a token', 'ptb', (item: Item) => (item.ptb.candidate += ' x')],
  ])('fails when %s differs', async (_, __, change) => {
    const temporary = mkdtempSync(join(tmpdir(), 'refcap-'));
    try {
      const data = JSON.parse(readFileSync(join(folder, 'edge_dev.json'), 'utf8'));
      change(data.items[5]);
      const path = join(temporary, 'changed.json');
      writeFileSync(path, JSON.stringify(data));
      const { code, lines } = await verified(path);
      expect(code).toBe(1);
      expect(lines.some((line) => line.includes('FAILS'))).toBe(true);
    } finally {
      rmSync(temporary, { recursive: true });
    }
  });

  it('fails on a file of another layout, and on an empty folder', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'refcap-'));
    try {
      expect((await verified(temporary)).code).toBe(1);
      writeFileSync(join(temporary, 'other.json'), '{"items": [{"caption": "a dog"}]}');
      expect((await verified(temporary)).code).toBe(1);
    } finally {
      rmSync(temporary, { recursive: true });
    }
  });
});

interface Item {
  ptb: { candidate: string };
  coco: { CIDEr: number; METEOR_stats: string };
}
