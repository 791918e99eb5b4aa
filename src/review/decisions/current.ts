/** Decisions and the drafts that they are about: a decision on a draft that was replaced since counts no more. */
import type { DraftCaption } from '../sources/draft.ts';
import { draftText } from '../sources/draft.ts';
import type { ReviewDecision } from './decision.ts';

export interface CurrentDecisions {
  /** Drafts as the model wrote them, also where an accepted text has taken their place. */
  readonly drafts: readonly DraftCaption[];
  /** Those of each reviewer that are about drafts which are there. */
  readonly reviews: readonly (readonly ReviewDecision[])[];
  /** Pictures whose draft is another by now. */
  readonly stale: readonly string[];
}

/** @param reviews the decisions of each reviewer */
export function currentDecisions(
  drafts: readonly DraftCaption[],
  reviews: readonly (readonly ReviewDecision[])[],
): CurrentDecisions {
  const byFile = new Map<string, ReviewDecision[]>();
  for (const decision of reviews.flat()) {
    const list = byFile.get(decision.file);
    if (list) list.push(decision);
    else byFile.set(decision.file, [decision]);
  }
  const texts = new Map<string, string>();
  const restored = drafts.map((draft) => {
    const found = restoredDraft(draft, byFile.get(draft.file) ?? []);
    texts.set(draft.file, draftText(found));
    return found;
  });
  const isCurrent = ({ file, draft, verdict }: ReviewDecision): boolean => {
    const text = texts.get(file);
    // Wrong drafts are taken out of text files and metadata.
    return text === undefined ? verdict === 'wrong' : text === draft;
  };
  const stale = new Set(reviews.flat().flatMap((each) => (isCurrent(each) ? [] : each.file)));
  return {
    drafts: restored,
    reviews: reviews.map((review) => review.filter(isCurrent)),
    stale: [...stale],
  };
}

/** The draft before a decision on it was written where there is no place for both. */
function restoredDraft(draft: DraftCaption, decisions: readonly ReviewDecision[]): DraftCaption {
  const text = draftText(draft);
  if (draft.decision || decisions.some((decision) => decision.draft === text)) return draft;
  const written = decisions.find((decision) => decision.text === text && text !== '');
  if (!written) return draft;
  const candidates = [written.draft, ...(written.others ?? [])].map((each) => ({ text: each }));
  return { ...draft, candidates };
}
