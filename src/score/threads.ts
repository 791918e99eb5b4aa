/** Where captions are scored in Node.js: on worker threads where there is enough of them. */
import { availableParallelism } from 'node:os';
import { loadMeteorData } from '../data/text/meteor-data.ts';
import { ChunkScorer } from '../metrics/corpus/chunk-scorer.ts';
import { localRunner } from '../metrics/corpus/runner.ts';
import type { ScoreRunner } from '../metrics/corpus/statistics.ts';

/** Below this many captions, references included, threads that share the captions take as long as none: each compiles the metrics anew. */
const smallCorpus = 40_000;
/** Below this many a thread that counts METEOR starts in vain. */
const tinyCorpus = 2_000;

/**
 * Opens a runner for `scoreCorpus()`, with METEOR's data at hand.
 * @param captions how many there are, references included.
 * @param workers 0 for this thread alone; by default one a core, none for small inputs. No result depends on it.
 */
export async function scoreRunner(captions: number, workers?: number): Promise<ScoreRunner> {
  const isSmall = workers === undefined && captions < smallCorpus;
  if (workers === 0 || (isSmall && (captions < tinyCorpus || availableParallelism() === 1)))
    return localRunner(new ChunkScorer(loadMeteorData));
  if (isSmall)
    return (await import('./split.ts')).splitRunner(new ChunkScorer(loadMeteorData), workerUrl());
  const { defaultWorkers, workerRunner } = await import('./pool.ts');
  return workerRunner(workerUrl(), workers ?? defaultWorkers());
}

/** How many captions some systems' captions and their references are. */
export function countCaptions(systems: number, references: readonly (readonly string[])[]): number {
  return references.reduce((sum, { length }) => sum + systems + length, 0);
}

/** Threads run built files; when this file runs as TypeScript, those of dist/. */
function workerUrl(): URL {
  const here = import.meta.url;
  return here.endsWith('.ts')
    ? new URL('../../dist/score/worker.js', here)
    : new URL('./worker.js', here);
}
