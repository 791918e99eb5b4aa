/** What reviewing bought: how good the drafts were, and how long it took. */
import { median } from '../base/median.ts';
import { scoreCorpus } from '../metrics/corpus/score.ts';
import { isAccepted, type ReviewDecision, type Verdict, verdicts } from './decisions/decision.ts';
import { editDistance, plainWords } from './views/words.ts';

export interface ReviewSummary {
  readonly drafts: number;
  /** By verdict. */
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Of the pictures that were decided (skipped ones are not), from 0 to 1; undefined where there are none. */
  readonly acceptedShare: number | undefined;
  /** Words to change in a draft that became a caption, on average, accepted ones included. */
  readonly wordsChanged: number | undefined;
  /** CIDEr-D of the drafts against the captions that they became. */
  readonly cider: number | undefined;
  /** Seconds a picture. */
  readonly medianSeconds: number | undefined;
  readonly totalSeconds: number;
}

/** @param drafts how many there are in all */
export async function summarizeReview(
  decisions: readonly ReviewDecision[],
  drafts: number,
): Promise<ReviewSummary> {
  const counts = countVerdicts(decisions);
  const decided = decisions.filter(({ verdict }) => verdict !== 'skipped');
  const accepted = decided.filter(isAccepted);
  const changed = accepted.map(({ draft, text }) =>
    editDistance(plainWords(draft), plainWords(text)),
  );
  return {
    drafts,
    counts,
    acceptedShare: decided.length > 0 ? counts.accepted / decided.length : undefined,
    wordsChanged: mean(changed),
    cider: await ciderOf(accepted),
    medianSeconds: decided.length === 0 ? undefined : median(decided.map(({ seconds }) => seconds)),
    totalSeconds: decisions.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

export function countVerdicts(decisions: readonly ReviewDecision[]): Record<Verdict, number> {
  const counts = { accepted: 0, chosen: 0, edited: 0, wrong: 0, skipped: 0 };
  for (const { verdict } of decisions) counts[verdict] += 1;
  return counts;
}

/** Words of one or two captions are too few to weigh: their every n-gram is in all of them. */
const fewestScored = 3;

async function ciderOf(accepted: readonly ReviewDecision[]): Promise<number | undefined> {
  if (accepted.length < fewestScored) return undefined;
  const { scores } = await scoreCorpus(
    accepted.map(({ draft }) => draft),
    accepted.map(({ text }) => [text]),
    { metrics: 'CIDEr' },
  );
  return scores.CIDEr;
}

function mean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The summary for a terminal, a line each. */
export function summaryLines(summary: ReviewSummary): string[] {
  const { drafts, counts, acceptedShare, wordsChanged, cider, medianSeconds } = summary;
  const number = (value: number): string => value.toLocaleString('en');
  const decided = verdicts
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${number(counts[verdict])} ${verdict}`);
  const lines = [`${decided.join(', ') || 'nothing decided'}, of ${number(drafts)} drafts`];
  if (acceptedShare !== undefined)
    lines.push(`accepted as they were: ${Math.round(100 * acceptedShare)} % of the decided`);
  if (wordsChanged !== undefined) lines.push(`words changed a caption: ${wordsChanged.toFixed(2)}`);
  if (cider !== undefined)
    lines.push(`CIDEr-D of the drafts against the captions: ${cider.toFixed(3)}`);
  if (medianSeconds !== undefined)
    lines.push(
      `time a picture: ${medianSeconds.toFixed(1)} s in the median, ${duration(summary.totalSeconds)} in all`,
    );
  return lines;
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${Math.round(seconds)} s`;
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
