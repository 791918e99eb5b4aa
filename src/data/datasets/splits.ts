/** Which split each image of a dataset is in: by lists, by the captions, by folders, or dealt out by a seed. */
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import { readImageList } from '../captions/captions.ts';
import { FileFinder } from '../images/find.ts';
import type { NamedImages } from './captions.ts';
import { dealSplits, parseSplit, type SplitShares, splitNames } from './dataset.ts';
import type { DatasetSource, SplitList } from './sources.ts';

/** Images in the order of the lists; those in no list are left out, as in the official splits. */
export async function applyLists(
  images: NamedImages,
  source: DatasetSource,
  notes: string[],
): Promise<{ images: NamedImages; withoutCaption: string[] }> {
  const listed: NamedImages = new Map();
  const withoutCaption: string[] = [];
  const finder = new FileFinder([...images.keys()]);
  const idOf = (name: string): string => {
    const found = images.has(name) ? undefined : finder.find(name);
    return found?.how === 'path' || found?.how === 'end' ? found.file : name;
  };
  for (const split of splitNames) {
    for (const list of source.lists.filter((entry) => entry.split === split)) {
      for (const name of await namesOf(list)) {
        const id = idOf(name);
        const image = images.get(id);
        if (!image) withoutCaption.push(id);
        else if (listed.has(id))
          throw new InputError(
            `${list.path}: image ${id} is in another list too; remove it from one.`,
          );
        else listed.set(id, { ...image, split });
      }
    }
  }
  const unlisted = images.size - listed.size;
  if (unlisted > 0) notes.push(`${plural(unlisted, 'image')} in no split list left out.`);
  if (withoutCaption.length > 0)
    notes.push(
      `${plural(withoutCaption.length, 'image')} of the split lists without a caption left out.`,
    );
  return { images: listed, withoutCaption };
}

async function namesOf({ path, numbers }: SplitList): Promise<Iterable<string>> {
  const lines = await readImageList(path);
  if (!numbers) return lines;
  const [first, last] = numbers;
  const numbered: { name: string; number: number }[] = [];
  for (const line of lines) {
    const [, name, number] = /^(\S+)\s+vid(\d+)$/.exec(line) ?? [];
    if (name === undefined)
      throw new InputError(
        `${path}: "${line}" should be a video's name, a space and vidNUMBER; correct it there.`,
      );
    numbered.push({ name, number: Number(number) });
  }
  return numbered
    .filter(({ number }) => number >= first && number <= last)
    .toSorted((a, b) => a.number - b.number)
    .map(({ name }) => name);
}

/** Gives each image a split, dealing them out where none has one; says whether they were dealt out. */
export function assignSplits(
  images: NamedImages,
  path: string,
  shares: SplitShares,
  notes: string[],
): boolean {
  const all = [...images.values()];
  const marked = all.filter((image) => image.split !== undefined).length;
  if (marked === all.length) return false;
  if (marked > 0) {
    for (const [id, image] of [...images]) if (image.split === undefined) images.delete(id);
    notes.push(`${plural(all.length - marked, 'image')} marked with no split left out.`);
    return false;
  }
  if (splitByFolder(images)) return false;
  const splits = dealSplits([...images.keys()], shares);
  all.forEach((image, i) => {
    image.split = splits[i];
  });
  const counts = splitNames.map((s) => `${s} ${splits.filter((split) => split === s).length}`);
  notes.push(
    `${path} has no splits: dealt out by seed ${shares.seed ?? 0} (${counts.join(', ')}).`,
  );
  return true;
}

/** Takes the folders of the images' names for their splits, where all are such; says whether it did. */
function splitByFolder(images: NamedImages): boolean {
  const splits = [...images].map(([id, { files }]) => {
    const [folder, ...rest] = (files[0] ?? id).replace(/^(?:\.\/)+/, '').split('/');
    return rest.length === 0 ? undefined : parseSplit(folder);
  });
  // Of one folder alone a part must serve for dev and test.
  if (splits.includes(undefined) || new Set(splits).size < 2 || !splits.includes('train'))
    return false;
  [...images.values()].forEach((image, i) => {
    image.split = splits[i];
  });
  return true;
}
