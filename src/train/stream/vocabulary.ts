/** A vocabulary of all captions of a stream: one pass before the first step, of which the counts of words are kept. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere } from '../../base/files.ts';
import { releaseShard } from '../../data/shards/picture.ts';
import { chooseTokens, countWords, writeVocabulary } from '../../data/text/vocabulary.ts';
import type { TrainConfig } from '../config/config.ts';
import { trainingText } from '../loop/batches.ts';
import type { ShardsToRead } from './beginning.ts';
import { samplesToTrain } from './entries.ts';

/**
 * The path of the vocabulary in the folder; where it is not there yet, captions are read and it is made.
 * @param fingerprint tells the training data apart
 * @param onCount called before they are read
 * @throws InputError naming a shard that is not there
 */
export async function countedVocabulary(
  folder: string,
  fingerprint: string,
  { minWordCount: minCount, maxWords }: Pick<TrainConfig, 'minWordCount' | 'maxWords'>,
  { shards, entries }: ShardsToRead,
  onCount: () => void,
): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify([fingerprint, minCount, maxWords]));
  const path = join(folder, `vocabulary-${key.digest('hex').slice(0, 20)}.txt`);
  if (await isThere(path)) return path;
  onCount();
  const words = new Map<string, number>();
  for (const shard of shards) {
    const texts: string[] = [];
    for await (const { captions } of samplesToTrain(shard, entries))
      for (const caption of captions) texts.push(trainingText(caption, maxWords));
    countWords(texts, words);
    await releaseShard(shard);
  }
  await mkdir(folder, { recursive: true });
  await writeVocabulary(path, chooseTokens(words, { minCount }).tokens);
  return path;
}
