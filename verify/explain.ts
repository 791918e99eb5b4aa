/** Checks explanations of a checkpoint against what PyTorch made of it: `npm run verify -- explain DIR`. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../src/base/errors.ts';
import { isThere } from '../src/base/files.ts';
import { type Tensor, tensor } from '../src/engine/runtime/tensor.ts';
import { ExplainedModel, type ForcedIds } from '../src/explain/model.ts';
import { storedMembers } from '../src/explain/threads/stored-members.ts';
import {
  captionLogprobs,
  gradientInput,
  integratedGradients,
  meanToken,
  relevanceMaps,
} from '../src/explain/token-maps.ts';
import { openWeights } from '../src/weights/open.ts';
import { Checks } from './checks.ts';

/** Runs all checks on DIR and prints their table. @returns 0 if all agree */
export async function run(args: readonly string[]): Promise<number> {
  if (args.length !== 1) {
    console.error('Usage: npm run verify -- explain DIR');
    return 2;
  }
  return (await verify(args[0], await checkpointOf(args[0]))) ? 0 : 1;
}

/** The folder itself, or the one in it that is a checkpoint. */
async function checkpointOf(folder: string): Promise<string> {
  const inside = (await readdir(folder)).sort().map((name) => join(folder, name));
  for (const place of [folder, ...inside])
    if (await isThere(join(place, 'config.json'))) return place;
  throw new InputError(`${folder}: neither it nor a folder in it has a config.json.`);
}

/**
 * All checks on a folder with explain.safetensors, for the checkpoint that it was made of, and on relevance.safetensors
 * where it is beside it (scripts/make-relevance-references.py).
 */
export async function verify(folder: string, checkpoint: string): Promise<boolean> {
  await using values = await openWeights(join(folder, 'explain.safetensors'));
  const read = async (name: string): Promise<Tensor<'f32'>> =>
    tensor('f32', values.tensors.get(name)?.shape ?? [], await values.readFloat32(name));
  using model = new ExplainedModel(storedMembers({ path: checkpoint, options: {} }));
  const checks = new Checks();
  const compare = async (name: string, computed: ArrayLike<number>): Promise<void> =>
    checks.numbers(name, [[name, computed, (await read(name)).data]], { absolute: 1e-5 });

  const [tokens] = await model.tokens(await read('pixel_values'));
  await compare('image_tokens', tokens.data as Float32Array);
  const forced = idsOf(await read('ids'));
  for (const [name, graph] of [
    ['cross_attention', 'attention'],
    ['gradient_attention', 'gradientAttention'],
  ] as const) {
    const [{ attention, logprobs }] = await model.run(graph, () => ({ ...forced, tokens }));
    await compare(name, attention);
    await compare('word_logprob', logprobs);
  }
  await compare('gradient_input', (await gradientInput(model, [tokens], forced)).members[0]);
  const integrated = await integratedGradients(model, [tokens], forced);
  await compare('integrated_gradients', integrated.members[0]);
  await compare('word_logprob', integrated.logprobs);
  const zeros = tensor('f32', tokens.shape);
  const withZeros = await captionLogprobs(model, [zeros], forced);
  await compare('word_logprob_zero_tokens', withZeros);
  await compare(
    'word_logprob_mean_token',
    await captionLogprobs(model, [meanToken(tokens)], forced),
  );
  const { length } = integrated.logprobs;
  const sums = integrated.logprobs.map((_, i) => {
    const count = tokens.shape[1];
    return integrated.members[0].subarray(i * count, (i + 1) * count).reduce((a, b) => a + b, 0);
  });
  checks.numbers(
    'completeness of integrated gradients',
    Array.from({ length }, (_, i) => [
      `word ${i}`,
      [sums[i]],
      [integrated.logprobs[i] - withZeros[i]],
    ]),
    { absolute: 0, relative: 0.01 },
  );
  await compareRelevance(folder, model, tokens, forced, checks);
  return checks.report();
}

async function compareRelevance(
  folder: string,
  model: ExplainedModel,
  tokens: Tensor,
  forced: ForcedIds,
  checks: Checks,
): Promise<void> {
  const path = join(folder, 'relevance.safetensors');
  if (!(await isThere(path))) return;
  await using values = await openWeights(path);
  const expected = await values.readFloat32('relevance');
  const [computed] = (await relevanceMaps(model, [tokens], forced)).members;
  checks.numbers('relevance', [['relevance', computed, expected]], { absolute: 1e-5 });
}

/** ids [images, words + 1] as the graphs read them. */
function idsOf({ shape: [images, length], data }: Tensor<'f32'>): ForcedIds {
  const positions = length - 1;
  const shifted = (by: number): Tensor<'i32'> =>
    tensor(
      'i32',
      [images, 1, positions],
      Int32Array.from(
        { length: images * positions },
        (_, i) => data[Math.floor(i / positions) * length + (i % positions) + by],
      ),
    );
  return { ids: shifted(0), next: shifted(1) };
}
