/** What the review page knows, and what its reader can do. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import type {
  DecideRequest,
  ReviewRow,
  ReviewState,
  RewriteRequest,
  SummaryAnswer,
} from '../../../src/review/server/schema.ts';
import type { DraftQuery } from '../../../src/review/views/view.ts';
import { Refused, type ReviewClient } from './client.ts';
import { Clock } from './clock.ts';
import { Pictures } from './pictures.ts';
import { Rows } from './rows.ts';

type Said = DecideRequest['said'];
export type RewriteOptions = RewriteRequest['options'];

/** Milliseconds between two looks at how far the comparison of pictures is. */
const pause = 500;

export class Review {
  readonly state = signal<ReviewState | undefined>(undefined);
  readonly query = signal<DraftQuery>({
    ...{ order: 'confidence', state: 'open', words: '', minWords: 0, maxWords: null },
    ...{ repeats: 'any', similar: false },
  });
  readonly rows = signal<Rows | undefined>(undefined);
  /** The place in the list that is looked at. */
  readonly at = signal(0);
  readonly row: ReadonlySignal<ReviewRow | undefined> = computed(() =>
    this.rows.value?.at(this.at.value),
  );
  /** The caption in the making. */
  readonly text = signal('');
  readonly rewriteOptions = signal<RewriteOptions>({ sample: true, topP: 0.9, numCaptions: 3 });
  /** What the server is asked for at the moment. */
  readonly isRewriting = signal(false);
  readonly summary = signal<SummaryAnswer | undefined>(undefined);
  /** What went wrong last. */
  readonly failure = signal<string | undefined>(undefined);
  /** What was done last, told to readers of the screen too. */
  readonly told = signal('');
  readonly hasKeys = signal(true);
  readonly pictures: Pictures;
  readonly #client: ReviewClient;
  readonly #clock = new Clock();
  /** Decisions follow each other. */
  #work: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: ReviewClient) {
    this.#client = client;
    this.pictures = new Pictures((place) => client.picture(place));
    void this.list();
  }

  /** Lists the drafts of the query anew, and begins with the first. */
  list(changed: Partial<DraftQuery> = {}): Promise<void> {
    this.query.value = { ...this.query.value, ...changed };
    return this.#try(async () => {
      if (this.query.value.similar) await this.#compare();
      this.state.value = await this.#client.state();
      const { id, total } = await this.#client.view(this.query.value);
      const rows = new Rows(
        total,
        async (start, count) => (await this.#client.rows(id, start, count)).rows,
      );
      await rows.need(0, 0);
      batch(() => {
        this.rows.value = rows;
        this.#look(0);
      });
    });
  }

  /** Waits until the looks of all pictures were compared. */
  async #compare(): Promise<void> {
    let state = await this.#client.compare();
    while ((state.compared ?? 0) < state.total) {
      this.told.value = `Pictures compared: ${state.compared} of ${state.total}`;
      await new Promise((resolve) => setTimeout(resolve, pause));
      state = await this.#client.state();
    }
    this.told.value = 'All pictures were compared.';
  }

  /** Goes to another place of the list. */
  async go(index: number): Promise<void> {
    const rows = this.rows.value;
    if (!rows || index < 0 || index >= rows.total) return;
    await this.#try(async () => {
      await rows.need(index, index + 2);
      if (this.rows.value === rows) this.#look(index);
    });
  }

  #look(index: number): void {
    batch(() => {
      this.at.value = index;
      this.text.value = captionOf(this.row.value);
    });
    this.#clock.start();
    // The next ones are likely to be looked at soon.
    for (const next of [index + 1, index + 2]) {
      const row = this.rows.value?.at(next);
      if (row) this.pictures.of(row.place);
    }
  }

  /** Writes down what the reader says of the picture, and goes on to the next. */
  async say(said: Said): Promise<void> {
    const row = this.row.value;
    if (!row) return;
    if (said.kind === 'caption' && said.text.trim() === '') {
      this.failure.value = 'A caption has words; call the draft wrong where none fits.';
      return;
    }
    const request = { place: row.place, said, seconds: this.#clock.seconds };
    const done = this.#queue(async () => {
      const answer = await this.#client.decide(request);
      this.#take(answer.row, answer.decided);
      this.told.value = `${row.file}: ${answer.row.decision?.verdict ?? 'open'}`;
    });
    const { total = 0 } = this.rows.value ?? {};
    if (this.at.value + 1 < total) await this.go(this.at.value + 1);
    await done;
    if (this.at.value + 1 >= total && this.failure.value === undefined)
      this.told.value += '. That was the last of the list.';
  }

  /** Accepts what stands in the caption's field. */
  accept(): Promise<void> {
    return this.say({ kind: 'caption', text: this.text.value });
  }

  /** Puts a candidate into the caption's field. */
  choose(index: number): void {
    const candidate = this.row.value?.candidates[index];
    if (candidate) this.text.value = candidate.text;
  }

  /** The candidate behind the one that stands in the field; behind the last the first. */
  nextCandidate(): void {
    const { candidates = [] } = this.row.value ?? {};
    const now = candidates.findIndex(({ text }) => text === this.text.value);
    this.choose((now + 1) % Math.max(1, candidates.length));
  }

  undo(): Promise<void> {
    return this.#queue(async () => {
      const { row, decided } = await this.#client.undo();
      if (!row) {
        this.told.value = 'There is nothing to take back.';
        return;
      }
      this.#take(row, decided);
      this.told.value = `Taken back: ${row.file}`;
      const index = this.rows.value?.indexOf(row.place);
      if (index !== undefined) await this.go(index);
    });
  }

  /** Has the model write the picture's caption anew. */
  async rewrite(): Promise<void> {
    const row = this.row.value;
    if (!row || this.isRewriting.value) return;
    this.isRewriting.value = true;
    const seed = Math.floor(Math.random() * 2 ** 31);
    const options = { ...this.rewriteOptions.value, seed };
    await this.#try(async () => {
      const written = await this.#client.rewrite({ place: row.place, options });
      this.rows.value?.put(written);
      const fresh = written.candidates.length - row.candidates.length;
      this.told.value = fresh > 0 ? `${fresh} more to choose from` : 'Nothing new was written.';
      if (fresh > 0 && this.row.value?.place === row.place) this.choose(row.candidates.length);
    });
    this.isRewriting.value = false;
  }

  async showSummary(): Promise<void> {
    await this.#try(async () => {
      this.summary.value = await this.#client.summary();
    });
  }

  /** Writes all that was decided into the source. */
  write(): Promise<void> {
    return this.#queue(async () => {
      const { target, written, conflicts } = await this.#client.write();
      const left =
        conflicts.length > 0
          ? ` Reviewers disagree on ${conflicts.length}, which were left: ${conflicts.slice(0, 3).join(', ')}.`
          : '';
      this.told.value = `${written} written into ${target}.${left}`;
    });
  }

  #take(row: ReviewRow, decided: number): void {
    batch(() => {
      this.rows.value?.put(row);
      if (this.state.value) this.state.value = { ...this.state.value, decided };
    });
    clearTimeout(this.#timer);
    if (this.summary.value) this.#timer = setTimeout(() => void this.showSummary(), 2 * pause);
  }

  #queue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(() => this.#try(work));
    this.#work = done;
    return done;
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      this.failure.value = undefined;
      await work();
    } catch (error) {
      this.failure.value = error instanceof Refused ? error.message : `Unexpected: ${error}`;
    }
  }
}

/** What stands in the field when a picture is come to. */
function captionOf(row: ReviewRow | undefined): string {
  return row?.decision?.text || (row?.candidates[0]?.text ?? '');
}
