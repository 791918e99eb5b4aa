/** Scores in this thread and in one more at once. Each counts other metrics, so that no metric is compiled twice. */

import type {
  ChunkResult,
  ChunkScorer,
  ChunkTask,
  ScorerSetup,
} from '../metrics/corpus/chunk-scorer.ts';
import { breathe } from '../metrics/corpus/runner.ts';
import type { ScoreRunner } from '../metrics/corpus/statistics.ts';
import { type ImageMetricName, imageMetrics } from '../metrics/registry.ts';
import { Thread } from './pool.ts';

/** What the other thread counts: METEOR takes as long as all the rest, and its data are unpacked there alone. */
const isAside = (name: ImageMetricName): boolean =>
  imageMetrics[name].takes.includes('meteorData') && imageMetrics[name].reads === 'tokens';

/** One metric's columns of a row: how many, and whether the other thread counts them. */
export interface MetricColumns {
  readonly width: number;
  readonly isAside: boolean;
}

type Rows = ChunkResult['rows'];

/**
 * A runner that tokenizes and counts with `scorer` in this thread, and has METEOR of the tokens counted on a thread
 * that runs the module at `url` (see worker.ts). Rows that the thread has a part in come late.
 */
export function splitRunner(scorer: ChunkScorer, url: URL): ScoreRunner {
  const thread = new Thread<ScorerSetup, ChunkTask, ChunkResult>(url);
  let present:
    | { columns: MetricColumns[]; returnTokens: boolean; ready: Promise<unknown> }
    | undefined;

  const countAside = async (tokens: ChunkTask, ready: Promise<unknown>): Promise<Rows> => {
    const reply = thread.send({ task: tokens }, []);
    reply.catch(() => {});
    // Its own fault is told rather than what comes of it.
    await ready;
    const answer = await reply;
    if (!('result' in answer)) throw new Error('a thread answered a task without a result');
    return answer.result.rows;
  };

  return {
    async setUp(setup) {
      const columns = await Promise.all(
        setup.metrics.map(async (name) => ({
          width: (await imageMetrics[name].scoring()).width,
          isAside: isAside(name),
        })),
      );
      const { returnTokens } = setup;
      const aside = setup.metrics.filter(isAside);
      const metrics = setup.metrics.filter((name) => !isAside(name));
      const tokenized = { candidates: true, references: true };
      const asideSetup = { ...setup, metrics: aside, tokenized, returnTokens: false };
      // Not waited for: the thread starts while this one counts.
      const ready = aside.length > 0 ? thread.send({ setup: asideSetup }, []) : Promise.resolve();
      ready.catch(() => {});
      present = { columns, returnTokens, ready };
      await scorer.setUp({ ...setup, metrics, returnTokens: returnTokens || aside.length > 0 });
    },

    async *map(tasks) {
      if (!present) throw new Error('a chunk came before the setup');
      const { columns, returnTokens, ready } = present;
      const isSplit = columns.some((one) => one.isAside);
      for (const task of tasks) {
        const here = scorer.run(task);
        const there = isSplit && here.tokens ? countAside(here.tokens, ready) : undefined;
        const images = task.first.length - 1;
        const rows = there?.then((late) =>
          here.rows.map((own, system) => joinedRows(own, late[system], columns, images)),
        );
        rows?.catch(() => {});
        yield {
          ...here,
          rows: rows ?? here.rows,
          tokens: returnTokens ? here.tokens : undefined,
        };
        await breathe();
      }
    },

    close: () => thread.close(),
  };
}

/** Rows of both threads as one runner's: the columns in the order of the metrics. */
export function joinedRows(
  here: Float64Array,
  there: Float64Array,
  columns: readonly MetricColumns[],
  images: number,
): Float64Array<ArrayBuffer> {
  const rows = new Float64Array(here.length + there.length);
  const asideWidth = there.length / images;
  const ownWidth = here.length / images;
  for (let image = 0, at = 0; image < images; image++) {
    let atHere = image * ownWidth;
    let atThere = image * asideWidth;
    for (const { width, isAside } of columns) {
      const [from, start] = isAside ? [there, atThere] : [here, atHere];
      rows.set(from.subarray(start, start + width), at);
      at += width;
      if (isAside) atThere += width;
      else atHere += width;
    }
  }
  return rows;
}
