/** Greedy search and sampling over a toy model, against the words chosen one by one. */
import { expect, it } from 'vitest';
import { resolveGeneration } from '../../src/generation/options.ts';
import { writeRows } from '../../src/generation/rows.ts';
import { largestIndex } from '../../src/generation/selection.ts';
import { parseBlipConfig } from '../../src/model/config.ts';
import { toyDecoder, toyLogits } from './toy-decoder.ts';

const end = 3;
const config = parseBlipConfig({ text_config: { sep_token_id: end } }, 'a toy').text_config;
const prompt = [0];
const longest = 9;

it('takes the best word at every step until the end', async () => {
  const found = await writeRows(
    toyDecoder(12),
    resolveGeneration({}, {}),
    { config, prompt },
    longest,
  );
  const lengths = new Set<number>();
  for (const [image, [{ ids }]] of found.entries()) {
    const wanted = [...prompt];
    while (wanted.length < longest && (wanted.length === 1 || wanted.at(-1) !== end))
      wanted.push(largestIndex(toyLogits(image, wanted)));
    expect(ids).toEqual(wanted);
    lengths.add(ids.length);
  }
  // Images leave the batch at different times.
  expect(lengths.size).toBeGreaterThan(2);
});

it('draws for each image and candidate from a stream of its own', async () => {
  const settings = resolveGeneration({ do_sample: true, num_return_sequences: 3 }, {});
  const draw = async (imageNumbers: number[]) => {
    const context = { config, prompt, imageNumbers, seed: 4 };
    const found = await writeRows(toyDecoder(2), settings, context, longest);
    return found.map((list) => list.map(({ ids }) => ids));
  };
  const both = await draw([0, 1]);
  expect((await draw([0, 7]))[0]).toEqual(both[0]);
  expect((await draw([5, 1]))[1]).toEqual(both[1]);
  expect(await draw([5, 7])).not.toEqual(both);
  expect(new Set(both[0].map(String)).size).toBeGreaterThan(1);
});

it('tells each id as it is chosen, and stops when told to', async () => {
  const told: number[][] = [[], []];
  const stop = new AbortController();
  const onId = (image: number, _candidate: number, id: number) => told[image].push(id);
  const settings = resolveGeneration({}, {});
  const found = await writeRows(toyDecoder(2), settings, { config, prompt, onId }, longest);
  expect(told).toEqual(found.map(([{ ids }]) => ids.slice(prompt.length)));
  stop.abort(new Error('enough'));
  const context = { config, prompt, signal: stop.signal };
  await expect(writeRows(toyDecoder(2), settings, context, longest)).rejects.toThrow('enough');
});
