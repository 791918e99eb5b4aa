/** Reads captioned datasets: Flickr8k and its kin, Karpathy's JSON, tables, JSONL, text files beside images, metadata, shards. */
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import type { Columns } from '../captions/records.ts';
import { type ImageFolder, listImages } from '../images/folder.ts';
import { isShardName } from '../shards/address.ts';
import { type NamedImages, readCaptions } from './captions.ts';
import type { CaptionDataset, DatasetImage, SplitShares } from './dataset.ts';
import {
  describeFolder,
  describeMissing,
  type MissingImage,
  noCaptions,
  noneFound,
} from './describe.ts';
import { readMetadata } from './metadata.ts';
import { pairFiles } from './pair.ts';
import { findShards, readShardedImages } from './shards.ts';
import { pairSidecars, readSidecars } from './sidecars.ts';
import { type DatasetFormat, type DatasetSource, findDataset } from './sources.ts';
import { applyLists, assignSplits } from './splits.ts';

export interface DatasetOptions {
  /** The folder of the images, where it is not beside the captions. */
  readonly images?: string;
  /** How images are dealt out where the dataset has no splits. */
  readonly shares?: SplitShares;
  /** How the captions are kept, where their content misleads or a folder holds several kinds. */
  readonly format?: DatasetFormat;
  /** The columns or fields of the image and the caption, where their names do not say so. */
  readonly columns?: Columns;
  /** Of a source in shards, these alone. */
  readonly shards?: readonly string[];
}

/** A dataset, and all that is not in order with it. */
export interface DatasetSurvey {
  readonly dataset: CaptionDataset;
  readonly source: DatasetSource;
  /** Who says which split an image is in: lists, the caption files, or the seed. */
  readonly splitsFrom: 'lists' | 'captions' | 'seed';
  /** Images that the captions name and that have no file. */
  readonly missing: readonly MissingImage[];
  /** Images that have captions but are in no split, where others are. */
  readonly withoutSplit: readonly string[];
  /** Images whose every caption is empty, listed images and image files that no caption names. */
  readonly withoutCaption: readonly string[];
  /** The image of each empty caption. */
  readonly emptyCaptions: readonly string[];
  /** Text files that stand beside no image, where captions are kept so. */
  readonly strayTexts: readonly string[];
  /** Pictures of kinds that are not read. */
  readonly passedOver: readonly string[];
  /** Files and folders that cannot be opened because their names are not UTF-8. */
  readonly nameless: readonly string[];
  /** Sentences on what is wrong with shards. */
  readonly shardFaults: readonly string[];
}

/**
 * Reads the dataset at `path`: a folder such as Flickr8k's (token file, split lists, images), one
 * with a caption file (Karpathy's dataset_*.json, COCO's captions_*.json, captions.txt,
 * metadata.jsonl, .csv, ...), one whose images have text files of the same name beside them (a
 * caption a line), a caption file itself, or shards: tars, zips or Parquet tables of pictures. Clips (films by their names) stand
 * where pictures do, as in MSVD and MSR-VTT. Splits come from split lists, else from the captions
 * (marks in the file, COCO's file names, train, dev and test folders of text files), else they are
 * dealt out by a seeded hash. Images without a file are counted and left out: incomplete downloads
 * are normal.
 * @throws InputError naming file and line of a fault, or when no image is left.
 */
export async function readDataset(
  path: string,
  options: DatasetOptions = {},
): Promise<CaptionDataset> {
  const { dataset } = await surveyDataset(path, options);
  return dataset;
}

/** Reads a dataset as `readDataset` does, and tells in full what was left out. */
export async function surveyDataset(
  path: string,
  options: DatasetOptions = {},
): Promise<DatasetSurvey> {
  const { images: imageFolder, format } = options;
  const shards = options.shards ?? (isShardName(path) ? await findShards(path) : undefined);
  if (shards) return surveyShards(path, shards, options);
  const source = await findDataset(path, imageFolder, format);
  const inFolder =
    source.captions === undefined && format === undefined ? await findShards(path) : undefined;
  if (inFolder) return surveyShards(path, inFolder, options);
  const folder = await listImages(source.images, true);
  const notes: string[] = describeFolder(folder);
  const { images: named, stray, captions } = await readNamed(path, source, folder, options, notes);
  let images = named;
  const { paths, reasons, notes: own } = pairFiles(images, folder);
  notes.push(...own);
  const unnamed = filesWithoutName(paths, folder);
  const { empty, withoutCaption } = dropEmptyCaptions(images, notes);
  const all = [...images.keys()];
  const hasLists = captions !== undefined && source.lists.length > 0;
  if (hasLists) {
    const listed = await applyLists(images, source, notes);
    images = listed.images;
    for (const image of listed.withoutCaption) withoutCaption.push(image);
  }
  const areDealt = assignSplits(images, path, options.shares ?? {}, notes);
  const { found, missing } = findFiles(images, paths, reasons);
  const counts = { train: 0, dev: 0, test: 0 };
  for (const { split } of missing) counts[split]++;
  describeMissing(counts, images.size, folder, missing, notes);
  if (images.size === 0) throw new InputError(`${path}: no image has a caption; check the file.`);
  if (found.length === 0) throw noneFound(path, folder, missing);
  const kept = images;
  return {
    dataset: { name: path, images: found, missing: counts, notes },
    source: { ...source, captions },
    splitsFrom: hasLists ? 'lists' : areDealt ? 'seed' : 'captions',
    missing,
    withoutSplit: all.filter((id) => !kept.has(id)),
    withoutCaption: [...new Set([...withoutCaption, ...unnamed])],
    emptyCaptions: empty,
    strayTexts: stray,
    passedOver: folder.passedOver,
    nameless: folder.nameless,
    shardFaults: [],
  };
}

/** Likewise of shards, whose pictures have addresses in the place of paths. */
async function surveyShards(
  path: string,
  shards: readonly string[],
  { columns, shares = {} }: DatasetOptions,
): Promise<DatasetSurvey> {
  const { images, paths, stray, faults } = await readShardedImages(shards, columns);
  const notes = faults.length === 0 ? [] : [shardNote(faults)];
  const { empty, withoutCaption } = dropEmptyCaptions(images, notes);
  if (images.size === 0)
    throw new InputError(
      `${path}: no picture has a caption; name the caption's field with --caption-column.`,
    );
  const all = [...images.keys()];
  const areDealt = assignSplits(images, path, shares, notes);
  const { found } = findFiles(images, paths, new Map());
  return {
    dataset: { name: path, images: found, missing: { train: 0, dev: 0, test: 0 }, notes },
    source: { captions: undefined, lists: [], images: path, shards },
    splitsFrom: areDealt ? 'seed' : 'captions',
    missing: [],
    withoutSplit: all.filter((id) => !images.has(id)),
    withoutCaption,
    emptyCaptions: empty,
    strayTexts: stray,
    passedOver: [],
    nameless: [],
    shardFaults: faults,
  };
}

function shardNote(faults: readonly string[]): string {
  return faults.length === 1
    ? `1 fault in the shards: ${faults[0]}`
    : `${faults.length} faults in the shards, the first: ${faults[0]}`;
}

interface Named {
  readonly images: NamedImages;
  readonly captions: DatasetSource['captions'];
  /** Text files beside no image, where captions are kept so. */
  readonly stray: readonly string[];
}

/** The captions of the caption files, of the text files beside the images, or of their metadata. */
async function readNamed(
  path: string,
  { captions, isUnsure = false }: DatasetSource,
  folder: ImageFolder,
  { format, columns }: DatasetOptions,
  notes: string[],
): Promise<Named> {
  if (format === 'xmp')
    return { images: await readMetadata(folder, notes), captions: undefined, stray: [] };
  const sidecars = captions && !isUnsure ? undefined : pairSidecars(folder);
  if (captions && (!sidecars || sidecars.textOf.size === 0)) {
    const asked = { ...(format !== 'sidecar' && { format }), ...(columns && { columns }) };
    return { images: await readCaptions(captions, notes, asked), captions, stray: [] };
  }
  if (!sidecars || sidecars.textOf.size === 0) throw await noCaptions(path, folder);
  notes.push(...sidecars.notes);
  const images = await readSidecars(sidecars, folder);
  return { images, captions: undefined, stray: sidecars.stray };
}

function filesWithoutName(
  paths: ReadonlyMap<string, string>,
  { files, pathOf }: ImageFolder,
): string[] {
  const named = new Set(paths.values());
  return files.filter((file) => !named.has(pathOf(file)));
}

function dropEmptyCaptions(
  images: NamedImages,
  notes: string[],
): { empty: string[]; withoutCaption: string[] } {
  const empty: string[] = [];
  const withoutCaption: string[] = [];
  for (const [id, image] of images) {
    const kept = image.captions.filter((caption) => caption !== '');
    for (let i = kept.length; i < image.captions.length; i++) empty.push(id);
    image.captions.splice(0, image.captions.length, ...kept);
    if (kept.length === 0) withoutCaption.push(id);
  }
  for (const id of withoutCaption) images.delete(id);
  if (withoutCaption.length > 0)
    notes.push(
      `${plural(withoutCaption.length, 'image')} without a caption left out, the first ${withoutCaption[0]}.`,
    );
  else if (empty.length > 0) notes.push(`${plural(empty.length, 'empty caption')} left out.`);
  return { empty, withoutCaption };
}

function findFiles(
  images: NamedImages,
  paths: ReadonlyMap<string, string>,
  reasons: ReadonlyMap<string, string>,
): { found: DatasetImage[]; missing: MissingImage[] } {
  const found: DatasetImage[] = [];
  const missing: MissingImage[] = [];
  for (const [id, { captions, split = 'train', isReviewed }] of images) {
    const path = paths.get(id);
    const reason = reasons.get(id);
    if (path === undefined)
      missing.push({ id, split, captions: captions.length, ...(reason && { reason }) });
    else found.push({ id, path, split, captions, ...(isReviewed && { isReviewed }) });
  }
  return { found, missing };
}
