/** The walkthrough as a script of cells: scripts/build-notebook.ts makes walkthrough.ipynb of it. */

// %% [markdown]
// # A walk through refcap
//
// From fourteen photos to captions, to scores, to a model that was trained on them, and to why it says what it says. All
// of it runs on the processor of an ordinary computer, in TypeScript, and nothing leaves it.
//
// The cells run in Deno's kernel for Jupyter, in a clone of the project; [README.md](README.md) says how it is
// installed. What each part of the package has is in [docs/library.md](../docs/library.md).

// %%
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import process from 'node:process';
import { Captioner, confidenceOf, type ImageCaption } from 'refcap';
import { readDataset } from 'refcap/data';
import { explain } from 'refcap/explain';
import { type SystemScores, scoreCorpus, scoreSystems } from 'refcap/metrics';
import { convertModel } from 'refcap/model';
import { showCurves, showTable, showWords, smallPicture } from 'refcap/notebook';
import { loadMeteorData } from 'refcap/score';
import { parseTrainConfig, presets, type TrainingEvent, trainRun } from 'refcap/train';

/** How often training shows every caption. The project's tests ask for fewer, to be done in seconds. */
const epochs = Number(process.env.WALKTHROUGH_EPOCHS ?? 40);

const { images } = await readDataset('../samples');
const files = images.map(({ path }) => path);
const names = files.map((path) => basename(path, '.jpg'));
const references = images.map(({ captions }) => captions);
console.log(`${images.length} photos, ${references.flat().length} captions that people wrote`);

// %% [markdown]
// ## Captions
//
// `Captioner.load` opens the model that comes with the package; a folder, a weight file or a hub id such as
// `Salesforce/blip-image-captioning-base` would do as well. `captionAll` takes the photos as one batch. The model's own
// defaults search with three beams.
//
// `confidenceOf` gives, for a model that was calibrated, the probability that people who see the picture speak of the
// caption's main noun ([docs/confidence.md](../docs/confidence.md)); for another one the probability that the model gave to
// a word, as the geometric mean over the caption.

// %%
const captioner = await Captioner.load();
const before = await captioner.captionAll(files, { words: true });

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

const thumbnails = await Promise.all(files.map((path) => smallPicture(path)));
const bySureness = before
  .map((result, i) => ({ i, result, confidence: confidenceOf(result.captions[0]) }))
  .sort((a, b) => b.confidence - a.confidence);

showTable(
  ['photo', 'caption', 'confidence'],
  bySureness.map(({ i, result, confidence }) => [
    thumbnails[i],
    result.caption,
    percent(confidence),
  ]),
);

// %% [markdown]
// ## Confidence
//
// The surest captions stand above, the least sure below. With `words: true` each word comes with its log-probability, so
// the place where the model guessed can be found: here the word of each caption that it was least sure of.

// %%
const guesses = bySureness.flatMap(({ i, result }) => {
  const words = result.captions[0].words ?? [];
  const [weakest] = [...words].sort((a, b) => a.logprob - b.logprob);
  return weakest
    ? [[names[i], result.caption, weakest.text, percent(Math.exp(weakest.logprob))]]
    : [];
});
showTable(['photo', 'caption', 'least sure of', 'probability'], guesses);

// %% [markdown]
// ## Scores
//
// The metrics compare captions with what people wrote, and equal the reference programs. Fourteen photos are far too few
// to tell models apart, and CIDEr counts how rare words are in these few references alone: a real test has hundreds
// ([docs/metrics.md](../docs/metrics.md)). With `perImage` each photo has its scores too.

// %%
const metrics = {
  metrics: 'Bleu_1,Bleu_4,METEOR,ROUGE_L,CIDEr',
  meteorData: loadMeteorData,
  perImage: true,
};
const rounded = (value: number): string => value.toFixed(3);

const written = before.map(({ caption }) => caption);
const scored = await scoreCorpus(written, references, metrics);
showTable(Object.keys(scored.scores), [Object.values(scored.scores).map(rounded)]);

// %%
const perPhoto = (scored.images ?? [])
  .map(({ CIDEr: cider, METEOR: meteor }, i) => ({ i, cider, meteor }))
  .sort((a, b) => b.cider - a.cider);
showTable(
  ['photo', 'caption', 'CIDEr', 'METEOR'],
  perPhoto.map(({ i, cider, meteor }) => [names[i], written[i], rounded(cider), rounded(meteor)]),
);

// %% [markdown]
// ## Training
//
// A folder of pictures with a caption file is a dataset. Eleven photos are to be learned from, three are held back as the
// dev split.
//
// The preset `refcap` trains with both training-only layers: a caption refinement network and a semantic alignment layer
// stand on the decoder, learn to write better captions than it, and teach it; the model that is saved does without them
// ([docs/training.md](../docs/training.md)). The vision tower stays as it is, so its features are computed once, of each
// photo and of three augmented views. Of a model with several members, training goes on with the first.

// %%
const heldBack = new Set(['cat', 'dog-on-grass', 'rocket']);
const isHeldBack = (i: number): boolean => heldBack.has(names[i]);

const folder = await mkdtemp(join(tmpdir(), 'refcap-walkthrough-'));
const photos = join(folder, 'photos');
await mkdir(photos);
const lines: string[] = [];
for (const [i, file] of files.entries()) {
  await copyFile(file, join(photos, basename(file)));
  const split = isHeldBack(i) ? 'dev' : 'train';
  lines.push(JSON.stringify({ file: basename(file), split, captions: references[i] }));
}
await writeFile(join(photos, 'captions.jsonl'), `${lines.join('\n')}\n`);

const config = parseTrainConfig({
  ...presets.refcap,
  epochs,
  learningRate: 5e-4,
  views: 4,
  logEvery: 1,
});
const run = join(folder, 'run');
const events: TrainingEvent[] = [];
await trainRun({
  data: photos,
  start: { model: 'refcap-small' },
  output: run,
  config,
  onNote: () => {},
  onFeatures: () => {},
  onEvent(event) {
    events.push(event);
    if (event.kind !== 'validation' || (event.epoch % 10 !== 0 && event.epoch > 1)) return;
    const { base, refined = base } = event.losses;
    console.log(
      `epoch ${event.epoch}: dev ${rounded(base)} nats a word, refined ${rounded(refined)}`,
    );
  },
});

// %% [markdown]
// ## The curve
//
// Left, what is minimised: `base` is the loss of the path that is saved, `refined` that of the path through both layers,
// and the distillation draws the first to the second. In a run as short as this the two hardly differ. Right, the three
// photos that were held back. Eleven photos are soon known by heart: the training loss goes on falling when that of the
// other photos no longer does.

// %%
showCurves(events);

// %% [markdown]
// ## Before and after
//
// `run/best` is the model of the epoch with the lowest loss on the dev split, `run/last` that of the last one. Here it is
// the last, to see what was learned by heart. The first rows are the photos that were held back.

// %%
const trained = await Captioner.load(join(run, 'last'));
const after = await trained.captionAll(files);

const order = names.map((_, i) => i).sort((a, b) => Number(isHeldBack(b)) - Number(isHeldBack(a)));
showTable(
  ['photo', 'split', 'before', 'after'],
  order.map((i) => [
    thumbnails[i],
    isHeldBack(i) ? 'dev' : 'train',
    before[i].caption,
    after[i].caption,
  ]),
);

// %% [markdown]
// Scores of each split, before and after. Those of the training photos show that training works, and those of the others
// how little eleven photos teach about a twelfth.

// %%
const splitScores = async (split: string, chosen: readonly number[]): Promise<string[][]> => {
  const captionsOf = (results: readonly ImageCaption[]) => chosen.map((i) => results[i].caption);
  const systems = [captionsOf(before), captionsOf(after)];
  const chosenReferences = chosen.map((i) => references[i]);
  const [first, second] = await scoreSystems(systems, chosenReferences, metrics);
  const row = (name: string, { scores }: SystemScores) => [
    split,
    name,
    ...['Bleu_1', 'METEOR', 'ROUGE_L'].map((score) => rounded(scores[score])),
  ];
  return [row('before', first), row('after', second)];
};
showTable(
  ['split', 'model', 'BLEU-1', 'METEOR', 'ROUGE-L'],
  [
    ...(await splitScores(
      'train',
      order.filter((i) => !isHeldBack(i)),
    )),
    ...(await splitScores('dev', order.filter(isHeldBack))),
  ],
);

// %% [markdown]
// The two layers are kept beside the saved model, so that what dropping them costs can be measured: `keepRefiner` opens
// the model with them.

// %%
const withLayers = await Captioner.load(join(run, 'last'), { keepRefiner: true });
const refined = await withLayers.captionAll(files);
const same = refined.filter(({ caption }, i) => caption === after[i].caption).length;
console.log(`with and without the layers: the same caption for ${same} of ${files.length} photos`);
withLayers[Symbol.dispose]();

// %% [markdown]
// ## Save and load
//
// `run/last` is a model already. `convertModel` writes a copy elsewhere, in the number format that is asked for, and
// `Captioner.load` opens it as any other: the captions are the same.

// %%
const mine = join(folder, 'my-captioner');
await convertModel(join(run, 'last'), mine, { dtype: 'f16' });
const sizes: [string, string][] = [];
for (const name of (await readdir(mine)).sort()) {
  const { size } = await stat(join(mine, name));
  sizes.push([name, `${(size / 2 ** 20).toFixed(2)} MiB`]);
}
const loaded = await Captioner.load(mine);
const again = await loaded.captionAll(files);
const isSame = again.every(({ caption }, i) => caption === after[i].caption);
console.log(`the copy writes ${isSame ? 'the same captions' : 'other captions'}`);
showTable(['file', 'size'], sizes);

// %% [markdown]
// ## Why each word
//
// `explain` gives, for each word, a map over the picture and how much less likely the word would be without the picture.
// The picture stays clear where the word comes from. The bundled model sees the picture as 7 x 7 places, each of which
// knows much of its surroundings, so the maps are coarse; [docs/explain.md](../docs/explain.md) says how far they can be
// trusted.

// %%
const photo = '../samples/dog-on-grass.jpg';
await showWords(photo, await explain(captioner, photo));

// %% [markdown]
// ## At the end
//
// Captioners hold memory that is not the garbage collector's, so they are closed; and the folder goes. In a program
// `using captioner = await Captioner.load()` closes it by itself.

// %%
for (const each of [captioner, trained, loaded]) each[Symbol.dispose]();
await rm(folder, { recursive: true });
