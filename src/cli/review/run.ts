/** The work of `refcap review`: serves the page, writes decisions into their source, or sums them up. */
import { userInfo } from 'node:os';
import { UsageError } from '../../base/errors.ts';
import type { Captioner } from '../../caption/captioner.ts';
import { currentDecisions } from '../../review/decisions/current.ts';
import { isAccepted } from '../../review/decisions/decision.ts';
import { journalsOf } from '../../review/decisions/merge.ts';
import { startReviewServer } from '../../review/server/start.ts';
import { ReviewSession, type WrittenReview, writeReview } from '../../review/session.ts';
import type { DraftFormat, DraftSource } from '../../review/sources/draft.ts';
import { openDrafts } from '../../review/sources/open.ts';
import { summarizeReview, summaryLines } from '../../review/summary.ts';
import { loadCaptioner, type ModelFlags } from '../options/captioner.ts';

export interface ReviewFlags extends ModelFlags {
  write?: true;
  summary?: true;
  reviewer?: string;
  journal?: string[];
  final?: string;
  format?: DraftFormat;
  images?: string;
  keepTimes?: boolean;
  port: number;
}

/** @throws InputError where the source, or a journal, cannot be read */
export async function runReview(path: string, flags: ReviewFlags): Promise<void> {
  const { write, summary, journal, final } = flags;
  if (journal && !write && !summary) throw new UsageError('--journal needs --write or --summary.');
  if (final !== undefined && !write) throw new UsageError('--final needs --write.');
  const source = await openDrafts(path, flags);
  for (const note of source.notes) console.error(`refcap: ${note}`);
  if (write) await writeAll(source, path, flags);
  else if (summary) await printSummary(source, path, flags);
  else await review(source, path, flags);
}

async function writeAll(
  source: DraftSource,
  path: string,
  { journal, final }: ReviewFlags,
): Promise<void> {
  const review = await writeReview(source, path, {
    ...(journal && { journals: journal }),
    ...(final !== undefined && { final }),
  });
  for (const { file, decisions } of review.conflicts) {
    const said = decisions.map((each) => `${each.by}: ${isAccepted(each) ? each.text : '(wrong)'}`);
    console.log(`${file}\n${said.map((line) => `  ${line}\n`).join('')}`.trimEnd());
  }
  tell(review, source.target);
  if (review.conflicts.length > 0) process.exitCode = 3;
}

function tell({ decided, conflicts, stale, written }: WrittenReview, target: string): void {
  if (stale.length > 0)
    console.error(
      `refcap: ${stale.length} decided on other drafts than ${target} has now, and left out: ${stale[0]}${stale.length > 1 ? ' ...' : ''}`,
    );
  console.error(
    `refcap: ${decided.size} decided, ${written} of them written into ${target} now${conflicts.length > 0 ? `; ${conflicts.length} on which reviewers disagree are left as they are (--final NAME)` : ''}`,
  );
}

async function printSummary(
  source: DraftSource,
  path: string,
  { journal }: ReviewFlags,
): Promise<void> {
  const journals = await journalsOf(path, journal);
  const all = journals.map(({ history }) => history.current());
  const { drafts, reviews } = currentDecisions(source.drafts, all);
  const inSource = drafts.flatMap(({ decision }) => decision ?? []);
  if (journals.length === 0)
    for (const line of summaryLines(await summarizeReview(inSource, drafts.length)))
      console.log(line);
  for (const [i, { by }] of journals.entries()) {
    if (journals.length > 1) console.log(`${by}:`);
    for (const line of summaryLines(await summarizeReview(reviews[i], drafts.length)))
      console.log(line);
  }
}

async function review(source: DraftSource, path: string, flags: ReviewFlags): Promise<void> {
  const by = flags.reviewer ?? userInfo().username;
  const stop = new AbortController();
  const { signal } = stop;
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  await using session = await ReviewSession.open(source, path, by);
  if (session.stale.length > 0)
    console.error(
      `refcap: ${session.stale.length} were decided on other drafts than ${path} has now; they are open again.`,
    );
  let opened: Promise<Captioner> | undefined;
  const captioner = (): Promise<Captioner> => {
    opened ??= loadCaptioner({ ...flags, workers: 1 }, signal);
    // What failed, such as a download, may be tried again.
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
  try {
    const server = await startReviewServer({
      ...{ session, path, by, captioner, signal },
      ...{ port: flags.port, model: flags.model },
      onFault: (error) => console.error('refcap:', error),
    });
    console.error(`refcap: reviewing ${path} as ${by} at ${server.url}`);
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await server.stop();
    for (const line of summaryLines(await session.summary())) console.log(line);
    console.error(
      `refcap: kept in ${session.journalPath}; refcap review ${path} --write puts it into ${source.target}.`,
    );
  } finally {
    (await opened?.catch(() => undefined))?.[Symbol.dispose]();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
