/** Scores a corpus on worker threads where there is enough of it. */

import { ChunkScorer } from '../metrics/corpus/chunk-scorer.ts';
import {
  type Corpus,
  type CorpusOptions,
  type CorpusScores,
  scoreCorpus,
} from '../metrics/corpus/corpus.ts';
import { localRunner } from '../metrics/corpus/runner.ts';
import { loadMeteorData } from './meteor-data.ts';
import { defaultWorkers, workerRunner } from './pool.ts';

/** Below this many captions, references included, two threads take as long as none: each compiles the metrics anew. */
const smallCorpus = 40_000;

/**
 * `scoreCorpus` on threads.
 * @param workers 0 for this thread alone; by default one a core, none for small inputs. No result depends on it.
 */
export function scoreOnThreads(
  corpus: Corpus,
  options: CorpusOptions,
  workers = suitableWorkers(corpus),
): Promise<CorpusScores> {
  return scoreCorpus(
    corpus,
    options,
    workers > 0 ? workerRunner(workerUrl(), workers) : localRunner(new ChunkScorer(loadMeteorData)),
  );
}

function suitableWorkers(corpus: Corpus): number {
  let captions = 0;
  for (let image = 0; image < corpus.images && captions < smallCorpus; image++)
    captions += corpus.systems + corpus.referenceCount(image);
  return captions < smallCorpus ? 0 : defaultWorkers();
}

/** Threads run built files; when this file runs as TypeScript, those of dist/. */
function workerUrl(): URL {
  const here = import.meta.url;
  return here.endsWith('.ts')
    ? new URL('../../dist/score/worker.js', here)
    : new URL('./worker.js', here);
}
