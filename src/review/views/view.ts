/** Which drafts a reviewer sees, and in what order. */
import * as z from 'zod';
import { type ReviewDecision, verdicts } from '../decisions/decision.ts';
import { type DraftCaption, draftConfidence, draftText } from '../sources/draft.ts';
import { plainWords, repeatsItself } from './words.ts';

export const draftOrders = ['confidence', 'dependence', 'length', 'source'] as const;
export type DraftOrder = (typeof draftOrders)[number];

/** `open`: nothing was decided, or the picture was skipped. */
export const draftStates = ['open', 'all', ...verdicts] as const;

/** `within`: a caption says something twice; `shared`: several pictures have it. */
export const draftRepeats = ['any', 'within', 'shared'] as const;

export const draftQuerySchema = z.strictObject({
  order: z.enum(draftOrders).default('confidence'),
  state: z.enum(draftStates).default('open'),
  /** Words that the caption or the picture's name has, all of them. */
  words: z.string().max(200).default(''),
  minWords: z.int().min(0).default(0),
  maxWords: z.int().min(0).nullable().default(null),
  repeats: z.enum(draftRepeats).default('any'),
  /** Pictures that look like others alone, those of a kind together. */
  similar: z.boolean().default(false),
});
export type DraftQuery = z.infer<typeof draftQuerySchema>;

/** What is known of drafts beside themselves. */
export interface DraftFacts {
  decisionOf(draft: DraftCaption): ReviewDecision | undefined;
  /** The number of the group of pictures that look alike, where they were compared. */
  readonly groups?: readonly (number | undefined)[] | undefined;
}

/** Places of the drafts of a query, in its order; at equal rank in the source's. */
export function listDrafts(
  drafts: readonly DraftCaption[],
  query: DraftQuery,
  { decisionOf, groups }: DraftFacts,
): number[] {
  const shared = query.repeats === 'shared' ? sharedCaptions(drafts) : undefined;
  const wanted = plainWords(query.words);
  const places: number[] = [];
  for (const [place, draft] of drafts.entries()) {
    const decision = decisionOf(draft);
    if (!isOfState(decision, query.state)) continue;
    if (query.similar && groups?.[place] === undefined) continue;
    const text = decision?.text || draftText(draft);
    if (isFitting(text, draft, query, wanted, shared)) places.push(place);
  }
  const rank = ranks(drafts, query.order);
  const groupOf = (place: number): number => (query.similar ? (groups?.[place] ?? 0) : 0);
  return places.sort((a, b) => groupOf(a) - groupOf(b) || rank(a, b) || a - b);
}

function isOfState(decision: ReviewDecision | undefined, state: DraftQuery['state']): boolean {
  const isOpen = decision === undefined || decision.verdict === 'skipped';
  return state === 'all' || (state === 'open' ? isOpen : decision?.verdict === state);
}

function isFitting(
  text: string,
  draft: DraftCaption,
  { minWords, maxWords, repeats }: DraftQuery,
  wanted: readonly string[],
  shared: ReadonlySet<string> | undefined,
): boolean {
  if (minWords > 0 || maxWords !== null) {
    const { length } = plainWords(text);
    if (length < minWords || length > (maxWords ?? length)) return false;
  }
  if (repeats === 'within' && !repeatsItself(text)) return false;
  if (shared && !shared.has(draftText(draft))) return false;
  if (wanted.length === 0) return true;
  const there = new Set(plainWords(`${text} ${draft.file}`));
  return wanted.every((word) => there.has(word));
}

/** Drafts that several pictures have. */
function sharedCaptions(drafts: readonly DraftCaption[]): Set<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const text of drafts.map(draftText)) {
    if (seen.has(text)) shared.add(text);
    seen.add(text);
  }
  return shared;
}

/** Least first; what is not known last. */
function ranks(
  drafts: readonly DraftCaption[],
  order: DraftOrder,
): (a: number, b: number) => number {
  const by = (value: (draft: DraftCaption) => number | undefined): Float64Array =>
    Float64Array.from(drafts, (draft) => value(draft) ?? Number.MAX_VALUE);
  if (order === 'source') return () => 0;
  if (order === 'length') {
    const lengths = by((draft) => -plainWords(draftText(draft)).length);
    return (a, b) => lengths[a] - lengths[b];
  }
  const confidence = by(draftConfidence);
  const dependence = by((draft) => draft.dependence);
  const [first, second] =
    order === 'confidence' ? [confidence, dependence] : [dependence, confidence];
  return (a, b) => first[a] - first[b] || second[a] - second[b];
}
