/** Journals of decisions: whatever a kill leaves is gone on with, each entry can be taken back, one writer at a time. */
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { ReviewDecision } from '../../../src/review/decisions/decision.ts';
import { Journal, journalPath, readJournal } from '../../../src/review/decisions/journal.ts';

const root = mkdtempSync(join(tmpdir(), 'refcap-journal-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
const newSource = (): string => join(root, `captions-${++count}.jsonl`);

const decision = (file: string, text: string): Omit<ReviewDecision, 'by'> => ({
  ...{ file, verdict: 'edited', draft: 'a dog', text },
  ...{ when: '2026-01-02T03:04:05Z', seconds: 1.5 },
});

async function journalOf(source: string, entries: readonly (readonly [string, string])[]) {
  await using journal = await Journal.open(source, 'anna');
  for (const [file, text] of entries) await journal.decide(decision(file, text));
}

describe('a journal', () => {
  it('is read as it was written, and gone on with', async () => {
    const source = newSource();
    await journalOf(source, [
      ['a.jpg', 'one'],
      ['b.jpg', 'two\n"three"'],
    ]);
    await journalOf(source, [['a.jpg', 'four']]);
    const found = await readJournal(journalPath(source, 'anna'));
    expect(found?.by).toBe('anna');
    expect(found?.history.of('a.jpg')).toEqual({ ...decision('a.jpg', 'four'), by: 'anna' });
    expect(found?.history.of('b.jpg')?.text).toBe('two\n"three"');
    expect(found?.history.current()).toHaveLength(2);
  });

  it('takes back the newest, over several sessions, to nothing', async () => {
    const source = newSource();
    await journalOf(source, [
      ['a.jpg', 'one'],
      ['b.jpg', 'two'],
      ['a.jpg', 'three'],
    ]);
    await using journal = await Journal.open(source, 'anna');
    const when = '2026-01-02T03:04:06Z';
    expect((await journal.undo(when))?.text).toBe('three');
    expect(journal.history.of('a.jpg')?.text).toBe('one');
    expect((await journal.undo(when))?.file).toBe('b.jpg');
    expect((await journal.undo(when))?.file).toBe('a.jpg');
    expect(await journal.undo(when)).toBeUndefined();
    expect((await readJournal(journal.path))?.history.current()).toEqual([]);
  });

  it('that was cut at any byte loses nothing that is whole', async () => {
    const source = newSource();
    await journalOf(source, [
      ['ä.jpg', 'ein Hund – läuft'],
      ['b.jpg', 'two'],
      ['c.jpg', 'three'],
    ]);
    const path = journalPath(source, 'anna');
    const whole = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), async (length) => {
        writeFileSync(path, whole);
        truncateSync(path, length);
        const lines = whole.subarray(0, length).toString('latin1').split('\n').length - 1;
        await journalOf(source, [['d.jpg', 'four']]);
        const found = await readJournal(path);
        expect(found?.history.current().map(({ file }) => file)).toEqual([
          ...['ä.jpg', 'b.jpg', 'c.jpg'].slice(0, Math.max(0, lines - 1)),
          'd.jpg',
        ]);
      }),
      { numRuns: 40 },
    );
  });

  it('has one writer at a time', async () => {
    const source = newSource();
    await using _ = await Journal.open(source, 'anna');
    await expect(Journal.open(source, 'anna')).rejects.toThrow(
      /in use by process \d+ on .*give another --reviewer/,
    );
    await using other = await Journal.open(source, 'bob');
    expect(other.path).not.toBe(journalPath(source, 'anna'));
  });

  it('names the line that is none of its own, and changes nothing', async () => {
    const source = newSource();
    await journalOf(source, [['a.jpg', 'one']]);
    const path = journalPath(source, 'anna');
    appendFileSync(path, '{"file":"b.jpg"}\n');
    const before = readFileSync(path, 'utf8');
    await expect(Journal.open(source, 'anna')).rejects.toThrow(/line 3 is nothing that refcap/);
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(() => journalPath(source, '../anna')).toThrow(/a name of letters/);
  });
});
