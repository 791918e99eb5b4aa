/** Two threads that count other metrics: rows put together, and faults of the thread told. */
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { ChunkScorer } from '../../src/metrics/corpus/chunk-scorer.ts';
import { chunksOf } from '../../src/metrics/corpus/chunks.ts';
import { corpusOf } from '../../src/metrics/corpus/corpus.ts';
import { joinedRows, splitRunner } from '../../src/score/split.ts';
import { temporaryFolder, write } from '../data/caption-files.ts';

it('puts the columns of both threads in the order of the metrics', () => {
  const columns = [
    { width: 1, isAside: false },
    { width: 2, isAside: true },
    { width: 2, isAside: false },
    { width: 1, isAside: true },
  ];
  const here = Float64Array.of(1, 2, 3, 11, 12, 13);
  const there = Float64Array.of(4, 5, 6, 14, 15, 16);
  expect([...joinedRows(here, there, columns, 2)]).toEqual([
    ...[1, 4, 5, 2, 3, 6],
    ...[11, 14, 15, 12, 13, 16],
  ]);
});

it("tells the thread's fault where the late rows are taken", async () => {
  const worker = write(
    temporaryFolder(),
    'worker.mjs',
    `import { parentPort } from 'node:worker_threads';
    parentPort.on('message', (request) => {
      const message = 'setup' in request ? 'no WordNet here' : 'a chunk came before the setup';
      parentPort.postMessage({ error: { input: true, message, stack: '' } });
    });`,
  );
  const scorer = new ChunkScorer(() => {
    throw new Error('this thread needs no WordNet');
  });
  const runner = splitRunner(scorer, pathToFileURL(worker));
  const tokenized = { candidates: false, references: false };
  await runner.setUp({ metrics: ['meteor', 'bleu'], tokenized, returnTokens: false });
  const chunks = chunksOf(corpusOf([['a dog']], [['a dog', 'a big cat']]));
  for await (const { rows, tokens } of runner.map(chunks, () => [])) {
    expect(tokens).toBeUndefined();
    await expect(rows).rejects.toThrow('no WordNet here');
  }
  await runner.close();
});
