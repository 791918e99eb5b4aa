/** Requests and answers of the review page's server. The page imports the types. */
import * as z from 'zod';
import { optionsSchema } from '../../server/native/schema.ts';
import type { ReviewDecision } from '../decisions/decision.ts';
import type { DraftCandidate } from '../sources/draft.ts';
import type { ReviewSummary } from '../summary.ts';

export type Candidate = DraftCandidate;

const place = z.int().min(0);

export const decideSchema = z.strictObject({
  place,
  said: z.union([
    z.strictObject({ kind: z.literal('caption'), text: z.string().max(10_000) }),
    z.strictObject({ kind: z.literal('wrong') }),
    z.strictObject({ kind: z.literal('skipped') }),
  ]),
  seconds: z.number().min(0).max(86_400),
});
export type DecideRequest = z.infer<typeof decideSchema>;

export const rewriteSchema = z.strictObject({
  place,
  options: optionsSchema.omit({ stream: true, words: true }),
});
export type RewriteRequest = z.infer<typeof rewriteSchema>;

/** A picture with its draft. */
export interface ReviewRow {
  readonly place: number;
  readonly file: string;
  /** The draft first. */
  readonly candidates: readonly Candidate[];
  readonly dependence?: number;
  readonly decision?: Pick<ReviewDecision, 'verdict' | 'text' | 'by' | 'when'>;
  /** Of the pictures that look like it; where pictures were compared. */
  readonly group?: number;
}

export interface ReviewState {
  /** What is reviewed. */
  readonly source: string;
  readonly by: string;
  readonly model: string;
  readonly total: number;
  /** Decided ones of all drafts; skipped ones are not. */
  readonly decided: number;
  /** Whether drafts have a dependence on their pictures. */
  readonly hasDependence: boolean;
  /** Pictures that were compared for their looks; undefined before that is asked for. */
  readonly compared: number | undefined;
}

export interface ViewAnswer {
  readonly id: number;
  readonly total: number;
}

export interface RowsAnswer {
  readonly rows: readonly ReviewRow[];
}

export interface DecidedAnswer {
  readonly row: ReviewRow;
  readonly decided: number;
}

/** `row` is missing where there is nothing to take back. */
export interface UndoneAnswer {
  readonly row?: ReviewRow;
  readonly decided: number;
}

export type SummaryAnswer = ReviewSummary;

export interface WriteAnswer {
  readonly target: string;
  readonly written: number;
  /** Pictures on which reviewers disagree. */
  readonly conflicts: readonly string[];
}
