/** Rows of JSON as drafts: `refcap caption`'s own, and any others that name a picture and its caption. */
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { fieldKey, imageField, textFields } from '../../data/captions/fields.ts';
import { decisionFields, isAccepted, type ReviewDecision } from '../decisions/decision.ts';
import type { DraftCandidate, DraftCaption } from './draft.ts';

type Row = Readonly<Record<string, unknown>>;

const { text: _, others: __, ...writtenFields } = decisionFields;
/** What a decision leaves in a row: the draft with what was said of it, and who decided what, when. */
const reviewSchema = z.looseObject({
  ...writtenFields,
  candidates: z.array(z.unknown()).optional(),
  confidence: z.number().optional(),
});

const candidateSchema = z.looseObject({
  text: z.string(),
  confidence: z.number().optional(),
  meanLogprob: z.number().optional(),
  words: z.array(z.looseObject({ dependence: z.number().optional() })).optional(),
});

/** The names of the fields that hold the picture and its caption. */
interface RowFields {
  readonly file: string;
  readonly text: string;
}

/** @param place for messages, such as "captions.jsonl: line 3" */
export function draftOfRow(value: unknown, place: string): DraftCaption {
  const row = checkedRow(value, place);
  const fields = fieldsOf(row, place);
  const file = row[fields.file];
  if (typeof file !== 'string' || file === '')
    throw new InputError(`${place}: "${fields.file}" should be the picture's file.`);
  const text = textOf(row[fields.text], `${place}: "${fields.text}"`);
  const review = reviewOf(row, place);
  const listed = candidatesOf(review?.candidates ?? row.captions);
  const draft = review?.draft ?? text;
  const known = listed.find((candidate) => candidate.text === draft);
  const own = typeof row.confidence === 'number' ? row.confidence : review?.confidence;
  const confidence = own ?? confidenceOf(known);
  const dependence = dependenceOf(known);
  const others = listed.filter((candidate) => candidate.text !== draft);
  return {
    file,
    ...(typeof row.path === 'string' && row.path !== file && { path: row.path }),
    candidates: [asCandidate(draft, confidence), ...others.map(ofListed)],
    ...(dependence !== undefined && { dependence }),
    ...(review && { decision: decisionOf(file, review, text) }),
  };
}

type Listed = z.infer<typeof candidateSchema>;
type Review = z.infer<typeof reviewSchema>;

function decisionOf(file: string, review: Review, text: string): ReviewDecision {
  const { verdict, draft, by, when, seconds } = review;
  return { file, verdict, draft, text: verdict === 'wrong' ? '' : text, by, when, seconds };
}

function checkedRow(value: unknown, place: string): Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(`${place}: this is no JSON object with a picture and its caption.`);
  return { ...value };
}

function fieldsOf(row: Row, place: string): RowFields {
  const names = Object.keys(row);
  const named = (key: string | undefined): string | undefined =>
    key === undefined ? undefined : names.find((name) => fieldKey(name) === key);
  const byKey = new Map(names.map((name) => [fieldKey(name), row[name]]));
  const file = 'file' in row ? 'file' : named(imageField(byKey));
  const text =
    'caption' in row ? 'caption' : named(textFields.candidates.find((key) => byKey.has(key)));
  if (file !== undefined && text !== undefined) return { file, text };
  throw new InputError(
    `${place}: there is no ${file === undefined ? 'picture' : 'caption'}; give rows such as {"file": "a.jpg", "caption": "a dog"}.`,
  );
}

function textOf(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  const [only, ...more] = candidatesOf(value);
  if (only && more.length === 0) return only.text;
  throw new InputError(`${place} should be one text, the caption.`);
}

function candidatesOf(value: unknown): Listed[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => {
    const candidate = candidateSchema.safeParse(typeof each === 'string' ? { text: each } : each);
    return candidate.success ? [candidate.data] : [];
  });
}

/** The probability of a token, where no confidence is told. */
function confidenceOf(candidate: Listed | undefined): number | undefined {
  const { confidence, meanLogprob } = candidate ?? {};
  return confidence ?? (meanLogprob === undefined ? undefined : Math.exp(meanLogprob));
}

function dependenceOf(candidate: Listed | undefined): number | undefined {
  const known = (candidate?.words ?? []).flatMap(({ dependence }) => dependence ?? []);
  if (known.length === 0) return undefined;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

const asCandidate = (text: string, confidence: number | undefined): DraftCandidate =>
  confidence === undefined ? { text } : { text, confidence };

const ofListed = (candidate: Listed): DraftCandidate =>
  asCandidate(candidate.text, confidenceOf(candidate));

/** @throws InputError where `review` is there and not ours */
function reviewOf(row: Row, place: string): Review | undefined {
  if (row.review === undefined || row.review === null) return undefined;
  const review = reviewSchema.safeParse(row.review);
  if (review.success) return review.data;
  throw new InputError(
    `${place}: "review" is not what refcap review writes; give that field another name.`,
  );
}

/**
 * The row with what was decided: its caption is the accepted one, and the only one of `captions`; the draft and the
 * other candidates stand in `review`, with who decided what and when. A wrong draft stays where it is.
 */
export function reviewedRow(value: unknown, decision: ReviewDecision, place: string): Row {
  const row = checkedRow(value, place);
  const fields = fieldsOf(row, place);
  const before = reviewOf(row, place);
  const candidates = before?.candidates ?? (Array.isArray(row.captions) ? row.captions : undefined);
  const confidence = before?.confidence ?? row.confidence;
  const { verdict, draft, by, when, seconds } = decision;
  const isDraft = verdict === 'accepted' || verdict === 'wrong';
  const text = isAccepted(decision) ? decision.text : draft;
  const { review: _, confidence: __, ...rest } = row;
  return {
    ...rest,
    ...(isDraft && confidence !== undefined && { confidence }),
    [fields.text]: fields.text === 'captions' ? [text] : text,
    ...(candidates && fields.text !== 'captions' && { captions: kept(candidates, text) }),
    review: {
      ...{ verdict, by, when, seconds, draft },
      ...(candidates && { candidates }),
      ...(!isDraft && confidence !== undefined && { confidence }),
    },
  };
}

/** Of the candidates the accepted one, with all that is known of it. */
function kept(candidates: readonly unknown[], text: string): unknown[] {
  const isIt = (each: unknown): boolean => candidatesOf([each]).at(0)?.text === text;
  return [candidates.find(isIt) ?? { text }];
}
