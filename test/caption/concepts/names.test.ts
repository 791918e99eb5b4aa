/** A user's concepts in captions: names among which the model chooses, and scores that take its own's place. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner, type CaptionerOptions } from '../../../src/caption/captioner.ts';
import { allowedConcepts, nameIds } from '../../../src/caption/concepts/names.ts';
import type { UserConcepts } from '../../../src/caption/executor/executor.ts';
import { LocalExecutor } from '../../../src/caption/executor/local.ts';
import type { ImageCaption } from '../../../src/caption/result.ts';
import { resolveGeneration } from '../../../src/generation/options.ts';
import { conceptNames, conceptWords, tiny, writeConceptModel } from '../models.ts';

let folder = '';
let model = '';
let files: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-names-'));
  model = join(folder, 'model');
  await writeConceptModel(model);
  const names = (await readdir(join(tiny, 'images'))).sort().slice(0, 4);
  files = names.map((name) => join(tiny, 'images', name));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The concepts that the decoder was told of each picture: names with their probability. */
async function told(concepts?: UserConcepts, scores?: readonly Record<string, number>[]) {
  const options = { threads: 1, ...(concepts && { concepts }) };
  using executor = await LocalExecutor.open(model, options);
  const { tokenizer, config } = executor.model;
  const images = await Promise.all(
    files.map(async (file) => (await executor.prepare(file, {})).pixels),
  );
  const given = scores?.map((own) =>
    Object.entries(own).map(([name, probability]) => ({
      words: nameIds(name, tokenizer) ?? [],
      probability,
    })),
  );
  const sequences = await executor.generate({
    images,
    settings: resolveGeneration({}, {}),
    prompt: [config.text_config.bos_token_id],
    ...(given && { concepts: given }),
  });
  return sequences.map(([{ concepts: seen = [] }]) =>
    Object.fromEntries(
      seen.map(({ words, probability }) => [
        words.map((word) => tokenizer.decode([word])).join(' '),
        probability,
      ]),
    ),
  );
}

async function captions(
  options: CaptionerOptions,
  concepts?: readonly Record<string, number>[],
): Promise<ImageCaption[]> {
  using captioner = await Captioner.load(model, { threads: 1, ...options });
  return await captioner.captionAll(files, concepts ? { concepts } : {});
}

describe('a list of names', () => {
  it('are all that the model chooses among, by its own scores', async () => {
    const own = await told();
    const some = await told({ kind: 'names', names: ['dog', 'brown owl', 'eyes', 'zebra'] });
    const everything = await told({ kind: 'names', names: [...conceptNames, ...conceptWords] });
    expect(everything).toEqual(own);
    for (const [i, names] of some.entries()) {
      // '' stands for the tokens that are left.
      expect(Object.keys(names).sort()).toEqual(['', 'brown owl', 'dog', 'eyes']);
      for (const [name, probability] of Object.entries(own[i]))
        if (name in names) expect(names[name]).toBeCloseTo(probability, 5);
    }
  });

  it('tells which names the model does not look for', async () => {
    using captioner = await Captioner.load(model, {
      concepts: { kind: 'names', names: ['dog', 'zebra', 'stares', 'a brown owl'] },
    });
    expect(captioner.unknownConcepts(['dog', 'zebra', 'stares', 'a brown owl', 'GRASS'])).toEqual([
      'zebra',
      'stares',
      'a brown owl',
    ]);
    const { concept_config: config } = captioner.config;
    if (!config) throw new Error('no concepts');
    const { allowed } = allowedConcepts(config, captioner.tokenizer, ['owl', ' Brown  OWL']);
    expect(allowed).toEqual({ names: [0, 2], words: [] });
  });

  it('needs a model with concepts, and a name that it looks for', async () => {
    const concepts: UserConcepts = { kind: 'names', names: ['zebra'] };
    await expect(Captioner.load(tiny, { concepts })).rejects.toThrow('this model has no concepts');
    await expect(Captioner.load(model, { concepts })).rejects.toThrow('none of the 1 names');
  });

  it('gives the same by workers', async () => {
    const concepts: UserConcepts = { kind: 'names', names: ['cat', 'snow'] };
    expect(await captions({ concepts, workers: 1 })).toEqual(await captions({ concepts }));
  });
});

describe('scores of each picture', () => {
  const concepts: UserConcepts = { kind: 'scores' };

  it("take the place of the model's own", async () => {
    const own = await told();
    const scores = own.map((names) => ({ ...names }));
    expect(await told(concepts, scores)).toEqual(scores);
    // Laid out as they were, they are the very same concepts, so the captions are the same.
    expect(await captions({ concepts }, scores)).toEqual(await captions({}));
  });

  it('decide what is written', async () => {
    const owl = await captions(
      { concepts },
      files.map(() => ({ owl: 1, dog: 0.001 })),
    );
    const dog = await captions(
      { concepts },
      files.map(() => ({ owl: 0.001, dog: 1 })),
    );
    const figures = (all: readonly ImageCaption[]) =>
      all.map(({ captions: [best] }) => best.logprob);
    expect(figures(owl)).not.toEqual(figures(dog));
  });

  it('must be there for each picture, and only where they are wanted', async () => {
    await expect(captions({ concepts })).rejects.toThrow('opened to be given scores');
    await expect(captions({ concepts }, [{ owl: 1 }])).rejects.toThrow('each of the 4 images');
    await expect(
      captions(
        {},
        files.map(() => ({ owl: 1 })),
      ),
    ).rejects.toThrow('open the captioner');
  });

  it('gives the same by workers', async () => {
    const scores = files.map((_, i) => ({ owl: i / 4, 'brown owl': 0.5, kite: 0.125, dog: 0.75 }));
    expect(await captions({ concepts, workers: 1 }, scores)).toEqual(
      await captions({ concepts }, scores),
    );
  });
});
