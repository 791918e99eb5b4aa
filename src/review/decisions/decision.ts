/** What a person said of a draft. */
import * as z from 'zod';

/** `chosen`: another candidate of the model was taken. `skipped`: looked at, and left open. */
export const verdicts = ['accepted', 'chosen', 'edited', 'wrong', 'skipped'] as const;
export type Verdict = (typeof verdicts)[number];

/** Who decided what, when. */
export interface ReviewDecision {
  /** The picture, as the source of the drafts names it. */
  readonly file: string;
  readonly verdict: Verdict;
  /** What the model wrote. */
  readonly draft: string;
  /** Its other candidates, where a source has no place to keep them. */
  readonly others?: readonly string[] | undefined;
  /** The caption that counts; '' where the draft is wrong or was skipped. */
  readonly text: string;
  readonly by: string;
  /** ISO 8601. */
  readonly when: string;
  /** For which the picture was looked at. */
  readonly seconds: number;
}

/** What a journal and a source have of a decision, beside the picture. */
export const decisionFields = {
  verdict: z.enum(verdicts),
  draft: z.string(),
  others: z.array(z.string()).optional(),
  text: z.string(),
  by: z.string().min(1),
  when: z.string(),
  seconds: z.number().nonnegative(),
};

/** Whether there is a caption that counts. */
export function isAccepted({ verdict }: ReviewDecision): boolean {
  return verdict === 'accepted' || verdict === 'chosen' || verdict === 'edited';
}

/** The verdict on a text that a person put in a draft's place. */
export function verdictOn(
  text: string,
  draft: string,
  candidates: readonly string[],
): 'accepted' | 'chosen' | 'edited' {
  if (text === draft) return 'accepted';
  return candidates.includes(text) ? 'chosen' : 'edited';
}
