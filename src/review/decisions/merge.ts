/** What several reviewers decided, put together: where they disagree nothing is guessed. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { firstFew, InputError, UsageError } from '../../base/errors.ts';
import { isAccepted, type ReviewDecision } from './decision.ts';
import { type ReadJournal, readJournal } from './journal.ts';

/** A picture on which reviewers disagree. */
export interface Conflict {
  readonly file: string;
  readonly decisions: readonly ReviewDecision[];
}

export interface MergedDecisions {
  /** By picture; skipped ones are not decided. */
  readonly decided: ReadonlyMap<string, ReviewDecision>;
  readonly conflicts: readonly Conflict[];
}

/** The journals beside a source, and others by their paths. @throws InputError when one cannot be read */
export async function journalsOf(
  source: string,
  others: readonly string[] = [],
): Promise<ReadJournal[]> {
  const path = resolve(source);
  const start = `${basename(path)}.review-`;
  const names = await readdir(dirname(path)).catch((): string[] => []);
  const beside = names
    .filter((name) => name.startsWith(start) && name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(dirname(path), name));
  const journals: ReadJournal[] = [];
  for (const file of new Set([...beside, ...others.map((other) => resolve(other))])) {
    const journal = await readJournal(file);
    if (journal) journals.push(journal);
    else if (!beside.includes(file)) throw new InputError(`${file}: there is no journal.`);
  }
  return journals;
}

/**
 * @param final the reviewer whose word goes before the others'
 * @throws UsageError where nobody of that name decided anything
 */
export function mergeDecisions(
  reviews: readonly (readonly ReviewDecision[])[],
  final?: string,
): MergedDecisions {
  const byFile = new Map<string, ReviewDecision[]>();
  for (const decision of reviews.flat()) {
    if (decision.verdict === 'skipped') continue;
    const list = byFile.get(decision.file);
    if (list) list.push(decision);
    else byFile.set(decision.file, [decision]);
  }
  checkFinal(reviews, final);
  const decided = new Map<string, ReviewDecision>();
  const conflicts: Conflict[] = [];
  for (const [file, decisions] of byFile) {
    const last = decisions.filter(({ by }) => by === final);
    const [first, ...rest] = last.length > 0 ? last : decisions;
    if (rest.every((other) => agree(first, other))) decided.set(file, first);
    else conflicts.push({ file, decisions });
  }
  return { decided, conflicts };
}

function checkFinal(
  reviews: readonly (readonly ReviewDecision[])[],
  final: string | undefined,
): void {
  if (final === undefined) return;
  const names = new Set(reviews.flat().map(({ by }) => by));
  if (!names.has(final))
    throw new UsageError(
      `--final ${final}: no such reviewer decided anything; there are ${firstFew([...names], 10) || 'none'}.`,
    );
}

/** Whether both want the same caption, or none. */
function agree(a: ReviewDecision, b: ReviewDecision): boolean {
  return isAccepted(a) === isAccepted(b) && a.text === b.text;
}
