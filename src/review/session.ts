/** A reviewer at work: drafts, the journal, what is shown, and what becomes of it. */

import { currentDecisions } from './decisions/current.ts';
import type { ReviewDecision, Verdict } from './decisions/decision.ts';
import { verdictOn } from './decisions/decision.ts';
import { Journal } from './decisions/journal.ts';
import { journalsOf, type MergedDecisions, mergeDecisions } from './decisions/merge.ts';
import type { DraftCandidate, DraftCaption, DraftSource } from './sources/draft.ts';
import { draftText } from './sources/draft.ts';
import { type ReviewSummary, summarizeReview } from './summary.ts';
import { type DraftQuery, listDrafts } from './views/view.ts';

/** What a person did with a picture: gave it a caption, called its draft wrong, or went on. */
export type Said =
  | { readonly kind: 'caption'; readonly text: string }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'skipped' };

export interface WrittenReview extends MergedDecisions {
  /** Drafts that were changed. */
  readonly written: number;
  /** Pictures whose drafts are others than those that were reviewed. */
  readonly stale: readonly string[];
}

/** Lists that are kept: of a page that was left open, and of another. */
const mostViews = 8;

export class ReviewSession implements AsyncDisposable {
  readonly source: DraftSource;
  readonly drafts: readonly DraftCaption[];
  /** Pictures whose drafts are others than those that were reviewed. */
  readonly stale: readonly string[];
  readonly #journal: Journal;
  readonly #places: ReadonlyMap<string, number>;
  readonly #views = new Map<number, readonly number[]>();
  #viewCount = 0;
  /** Candidates that were written anew, by the draft's place. */
  readonly #more = new Map<number, readonly DraftCandidate[]>();
  /** Groups of pictures that look alike, once they were compared. */
  groups: readonly (number | undefined)[] | undefined;

  private constructor(source: DraftSource, journal: Journal) {
    this.source = source;
    this.#journal = journal;
    const { drafts, stale } = currentDecisions(source.drafts, [journal.history.current()]);
    this.drafts = drafts;
    this.stale = stale;
    this.#places = new Map(drafts.map(({ file }, place) => [file, place]));
  }

  /**
   * @param path what the journal stands beside
   * @throws InputError when the journal is in use, no journal, or cannot be written
   */
  static async open(source: DraftSource, path: string, by: string): Promise<ReviewSession> {
    return new ReviewSession(source, await Journal.open(path, by));
  }

  get journalPath(): string {
    return this.#journal.path;
  }

  /** What was decided on a draft, by this reviewer or, written before, by another. */
  decisionOf(draft: DraftCaption): ReviewDecision | undefined {
    const own = this.#journal.history.of(draft.file);
    return own && own.draft === draftText(draft) ? own : draft.decision;
  }

  /** Lists the drafts of a query. The list stays as it is while they are decided. */
  view(query: DraftQuery): { id: number; places: readonly number[] } {
    const places = listDrafts(this.drafts, query, {
      decisionOf: (draft) => this.decisionOf(draft),
      groups: this.groups,
    });
    this.#viewCount += 1;
    this.#views.set(this.#viewCount, places);
    const [oldest] = this.#views.keys();
    if (this.#views.size > mostViews) this.#views.delete(oldest);
    return { id: this.#viewCount, places };
  }

  /** Places of a list's drafts, or undefined where the list is not kept any more. */
  placesOf(view: number): readonly number[] | undefined {
    return this.#views.get(view);
  }

  /** The draft, the model's other candidates, and those that were written anew. */
  candidatesOf(place: number): readonly DraftCandidate[] {
    const own = this.drafts[place].candidates;
    const texts = new Set(own.map(({ text }) => text));
    return [...own, ...(this.#more.get(place) ?? []).filter(({ text }) => !texts.has(text))];
  }

  addCandidates(place: number, candidates: readonly DraftCandidate[]): void {
    const known = this.candidatesOf(place);
    const fresh = candidates.filter(({ text }) => known.every((other) => other.text !== text));
    this.#more.set(place, [...(this.#more.get(place) ?? []), ...fresh]);
  }

  /** Writes down what a person said of a draft. */
  async decide(place: number, said: Said, seconds: number): Promise<ReviewDecision> {
    const draft = this.drafts[place];
    const [first, ...others] = draft.candidates.map(({ text }) => text);
    const candidates = this.candidatesOf(place).map(({ text }) => text);
    const verdict: Verdict =
      said.kind === 'caption' ? verdictOn(said.text, first, candidates) : said.kind;
    return this.#journal.decide({
      file: draft.file,
      verdict,
      draft: first,
      ...(others.length > 0 && { others }),
      text: said.kind === 'caption' ? said.text : '',
      when: now(),
      seconds: Math.round(10 * seconds) / 10,
    });
  }

  /** Takes back the newest decision. @returns its draft's place, or undefined where there is none */
  async undo(): Promise<number | undefined> {
    const undone = await this.#journal.undo(now());
    return undone && this.#places.get(undone.file);
  }

  /** All decisions that count now: this reviewer's, and those that were written before. */
  decisions(): ReviewDecision[] {
    return this.drafts.flatMap((draft) => this.decisionOf(draft) ?? []);
  }

  summary(): Promise<ReviewSummary> {
    return summarizeReview(this.decisions(), this.drafts.length);
  }

  /** Writes what this reviewer and others with a journal beside the drafts decided; where they disagree nothing. */
  async write(path: string): Promise<WrittenReview> {
    return writeReview(this.source, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journal[Symbol.asyncDispose]();
  }
}

/**
 * Writes the decisions of all journals of a source into it.
 * @param options further journals, and the reviewer whose word goes before the others'
 * @throws InputError when a journal cannot be read, or something cannot be written
 */
export async function writeReview(
  source: DraftSource,
  path: string,
  { journals = [], final }: { readonly journals?: readonly string[]; readonly final?: string } = {},
): Promise<WrittenReview> {
  const read = await journalsOf(path, journals);
  const names = new Set(read.map(({ by }) => by));
  // What somebody decided whose journal is elsewhere, and wrote into the source.
  const written = source.drafts.flatMap(({ decision }) => decision ?? []);
  const others = written.filter(({ by }) => !names.has(by));
  const all = [...read.map(({ history }) => history.current()), others];
  const { reviews, stale } = currentDecisions(source.drafts, all);
  const merged = mergeDecisions(reviews, final);
  return { ...merged, stale, written: await source.write(merged.decided) };
}

/** To the second. */
function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
