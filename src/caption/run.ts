/** Captions any number of pictures in batches: decoding runs ahead of the model, results come in order. */
import { InputError } from '../base/errors.ts';
import type { Captioner } from './captioner.ts';
import type { ConceptScoresByName } from './concepts/names.ts';
import type { CaptionOptions } from './options.ts';
import type { CaptionRow } from './output/formats.ts';
import type { CaptionSink } from './output/output.ts';
import type { PreparedImage } from './prepare.ts';
import type { ImageCaption } from './result.ts';
import type { CaptionInput } from './sources/inputs.ts';

export interface CaptionRunOptions {
  readonly options: CaptionOptions;
  readonly batchSize: number;
  /** Stop at the first picture that fails. */
  readonly failFast: boolean;
  /** Further captions of each picture that are drawn, for its keywords: how. */
  readonly draws?: CaptionOptions;
  /** Leave captions of less confidence (0 to 1) out of the output; the model is one that has a confidence. */
  readonly minConfidence?: number;
  /** The scores of a picture's concepts, where the captioner is to be given them. @throws InputError where it has none */
  readonly conceptsOf?: (name: string) => ConceptScoresByName;
  readonly signal?: AbortSignal;
  /** Told of each picture that is done: captioned, doubtful, failed, skipped since the output has it, or of a kind not read. */
  readonly onDone?: (outcome: RunOutcome) => void;
}

export type RunOutcome =
  | { readonly kind: 'captioned' | 'skipped' | 'passedOver'; readonly name: string }
  | {
      readonly kind: 'doubtful';
      readonly name: string;
      readonly caption: string;
      readonly confidence: number;
    }
  | { readonly kind: 'failed'; readonly name: string; readonly error: InputError };

/** How many pictures ended how. */
export interface RunCounts {
  captioned: number;
  /** Captioned with too little confidence, and left out. */
  doubtful: number;
  skipped: number;
  failed: number;
}

interface Item {
  readonly name: string;
  readonly sample?: Sample;
  /** Place among all inputs: sampling draws by it, so a resumed run draws the same. */
  readonly number: number;
  readonly work: Promise<PreparedImage | 'skipped' | InputError>;
}

/** Where in which shard a picture is. */
type Sample = Pick<CaptionRow, 'key' | 'shard'>;

interface Ready {
  readonly name: string;
  readonly sample?: Sample;
  readonly number: number;
  readonly image: PreparedImage;
}

/**
 * Captions all inputs into the sink, in their order. At most two batches of pictures are in memory beside those
 * that are being captioned: one, or as many as the captioner has workers.
 * @throws InputError of the first picture that fails, with `failFast`; the signal's reason when aborted
 */
export async function captionRun(
  captioner: Captioner,
  inputs: AsyncIterable<CaptionInput>,
  sink: CaptionSink,
  run: CaptionRunOptions,
): Promise<RunCounts> {
  const counts: RunCounts = { captioned: 0, doubtful: 0, skipped: 0, failed: 0 };
  const done = (outcome: RunOutcome): void => {
    if (outcome.kind !== 'passedOver') counts[outcome.kind] += 1;
    run.onDone?.(outcome);
  };
  const batches = new BatchQueue(captioner, sink, run, done);
  let batch: Ready[] = [];
  const pictures = leavingOut(inputs, (name) => done({ kind: 'passedOver', name }));
  for await (const item of prepareAhead(captioner, pictures, sink, run)) {
    const { name } = item;
    const image = await item.work;
    run.signal?.throwIfAborted();
    if (image === 'skipped') done({ kind: 'skipped', name });
    else if (image instanceof InputError) {
      if (run.failFast) {
        await batches.add(batch);
        await batches.finish();
        throw image;
      }
      done({ kind: 'failed', name, error: image });
    } else batch.push({ ...item, image });
    if (batch.length < run.batchSize) continue;
    await batches.add(batch);
    batch = [];
  }
  // A list that is waited for ends when the run is stopped.
  run.signal?.throwIfAborted();
  await batches.add(batch);
  await batches.finish();
  return counts;
}

/** An input that is to be prepared, or that gives nothing. */
type Picture = Exclude<CaptionInput, { kind: 'passed over' }>;

async function* leavingOut(
  inputs: AsyncIterable<CaptionInput>,
  onPassedOver: (name: string) => void,
): AsyncGenerator<Picture> {
  for await (const input of inputs) {
    if (input.kind === 'passed over') onPassedOver(input.name);
    else yield input;
  }
}

interface CaptionedBatch {
  readonly batch: readonly Ready[];
  readonly results: readonly ImageCaption[];
  /** Milliseconds a picture. */
  readonly ms: number;
  readonly drawn?: readonly (readonly string[])[];
}

/** Batches that are being captioned, written in the order in which they were added. */
class BatchQueue {
  readonly #captioner: Captioner;
  readonly #sink: CaptionSink;
  readonly #run: CaptionRunOptions;
  readonly #done: (outcome: RunOutcome) => void;
  readonly #running: Promise<CaptionedBatch>[] = [];

  constructor(
    captioner: Captioner,
    sink: CaptionSink,
    run: CaptionRunOptions,
    done: (outcome: RunOutcome) => void,
  ) {
    this.#captioner = captioner;
    this.#sink = sink;
    this.#run = run;
    this.#done = done;
  }

  /** Starts a batch, once a worker is free for it. Without workers, captions and writes it. */
  async add(batch: readonly Ready[]): Promise<void> {
    if (batch.length === 0) return;
    const { workers } = this.#captioner;
    const finished = this.#running.length >= workers ? await this.#running.shift() : undefined;
    const work = this.#caption(batch);
    // The batches are awaited in order, so an early failure waits for its turn.
    work.catch(() => undefined);
    this.#running.push(work);
    // Written while the worker has the next batch.
    if (finished) await this.#write(finished);
    if (workers === 0) await this.finish();
  }

  /** Writes what is left. */
  async finish(): Promise<void> {
    for (let work = this.#running.shift(); work; work = this.#running.shift())
      await this.#write(await work);
  }

  async #caption(batch: readonly Ready[]): Promise<CaptionedBatch> {
    const started = performance.now();
    const results = await this.#captionsOf(batch, this.#run.options);
    const drawn = await this.#draw(batch);
    const ms = Number(((performance.now() - started) / batch.length).toFixed(1));
    return { batch, results, ms, ...(drawn && { drawn }) };
  }

  #captionsOf(batch: readonly Ready[], options: CaptionOptions): Promise<ImageCaption[]> {
    const { signal, conceptsOf } = this.#run;
    return this.#captioner.captionPrepared(
      batch.map(({ image }) => image),
      {
        ...options,
        imageNumbers: batch.map(({ number }) => number),
        ...(conceptsOf && { concepts: batch.map(({ name }) => conceptsOf(name)) }),
        ...(signal && { signal }),
      },
    );
  }

  /** The texts drawn for each picture, where they are asked for. */
  async #draw(batch: readonly Ready[]): Promise<string[][] | undefined> {
    const { draws } = this.#run;
    if (!draws) return undefined;
    const results = await this.#captionsOf(batch, draws);
    return results.map(({ captions }) => captions.map(({ text }) => text));
  }

  async #write({ batch, results, ms, drawn }: CaptionedBatch): Promise<void> {
    const { minConfidence = 0 } = this.#run;
    const rows = results.map((result, i) => ({
      file: batch[i].name,
      ...batch[i].sample,
      ...result,
      ms,
      ...(drawn && { drawn: drawn[i] }),
    }));
    const isDoubtful = ({ captions: [{ confidence = 1 }] }: ImageCaption): boolean =>
      confidence < minConfidence;
    const sure = rows.filter((row) => !isDoubtful(row));
    if (sure.length > 0) await this.#sink.write(sure);
    for (const row of rows) {
      const { file: name, caption, captions } = row;
      if (!isDoubtful(row)) this.#done({ kind: 'captioned', name });
      else this.#done({ kind: 'doubtful', name, caption, confidence: captions[0].confidence ?? 1 });
    }
  }
}

/** Starts decoding the next pictures while the ones before are captioned. */
async function* prepareAhead(
  captioner: Captioner,
  inputs: AsyncIterable<Picture>,
  sink: CaptionSink,
  run: CaptionRunOptions,
): AsyncGenerator<Item> {
  const queue: Item[] = [];
  let number = 0;
  for await (const input of inputs) {
    const work = prepareOne(captioner, input, sink, run);
    // The queue is awaited in order, so an early failure waits for its turn.
    work.catch(() => undefined);
    const { name } = input;
    const sample = input.kind === 'in shard' && { key: input.key, shard: input.shard };
    queue.push({ name, number: number++, work, ...(sample && { sample }) });
    const next = queue.length > 2 * run.batchSize ? queue.shift() : undefined;
    if (next) yield next;
  }
  yield* queue;
}

async function prepareOne(
  captioner: Captioner,
  input: Picture,
  sink: CaptionSink,
  { options, conceptsOf, signal }: CaptionRunOptions,
): Promise<PreparedImage | 'skipped' | InputError> {
  try {
    if (input.kind === 'nothing') return input.error;
    const path = input.kind === 'file' ? input.path : undefined;
    if (await sink.has(input.name, path)) return 'skipped';
    // A picture without scores fails before it is decoded.
    conceptsOf?.(input.name);
    const { maxBytes } = options.decode ?? {};
    const source =
      input.kind === 'url'
        ? await (await import('./sources/address.ts')).fetchImage(input.name, {
            ...(maxBytes !== undefined && { maxBytes }),
            ...(signal && { signal }),
          })
        : input.kind === 'in shard'
          ? await input.read()
          : (input.path ?? input.name);
    const decode = { ...options.decode, name: input.name };
    return await captioner.prepare(source, { ...options, decode, ...(signal && { signal }) });
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}
