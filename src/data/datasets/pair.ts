/** Which file is each captioned picture's: one file is one picture's, and what is not sure is no file's. */
import { plural } from '../../base/plural.ts';
import { FileFinder, type Found, withoutExtension } from '../images/find.ts';
import type { ImageFolder } from '../images/folder.ts';
import type { NamedImages } from './captions.ts';
import { parseSplit } from './dataset.ts';

export interface Pairing {
  /** The path of each picture that has a file. */
  readonly paths: ReadonlyMap<string, string>;
  /** Why others have none, where more is known than that. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

type Hit = Exclude<Found, { how: 'several' }>;
interface Claim extends Pick<Hit, 'how'> {
  readonly id: string;
}

/** Pairs pictures and files. */
export function pairFiles(images: NamedImages, folder: ImageFolder): Pairing {
  const claims = new Map<string, Claim[]>();
  const reasons = new Map<string, string>();
  for (const [id, { files }] of images) {
    const { hit, reason } = lookUp(files.length > 0 ? files : [id], folder);
    if (reason !== undefined) reasons.set(id, reason);
    if (!hit) continue;
    const list = claims.get(hit.file);
    if (list) list.push({ id, how: hit.how });
    else claims.set(hit.file, [{ id, how: hit.how }]);
  }
  const paths = new Map<string, string>();
  const otherwise: string[] = [];
  for (const [file, all] of claims) {
    const best = strongest(all);
    for (const { id, how } of best) {
      paths.set(id, folder.pathOf(file));
      if (how === 'loose') otherwise.push(`${id} is ${file}`);
    }
    const others = all.filter((claim) => !best.includes(claim));
    for (const { id } of others) {
      const owner = best[0] ?? others.find((other) => other.id !== id);
      reasons.set(id, `${file} is the only file of such a name, and ${owner.id} names it too`);
    }
  }
  return { paths, reasons, notes: otherwise.length === 0 ? [] : [looselyNote(otherwise)] };
}

/** Those who get the file: all who give its path, else the one who alone gives a name like it. */
function strongest(claims: readonly Claim[]): readonly Claim[] {
  const ofPath = claims.filter(({ how }) => how === 'path');
  if (ofPath.length > 0) return ofPath;
  const ofEnd = claims.filter(({ how }) => how === 'end');
  const best = ofEnd.length > 0 ? ofEnd : claims;
  return best.length === 1 ? best : [];
}

function lookUp(names: readonly string[], folder: ImageFolder): { hit?: Hit; reason?: string } {
  let reason: string | undefined;
  for (const name of [...names, ...names.flatMap(otherCocoNames)]) {
    const found = folder.finder.find(name);
    if (found?.how === 'several')
      reason ??= `there is more than one, ${found.files.slice(0, 3).join(' and ')}; write the folder before the name`;
    else if (found?.how === 'other folder' && areOtherSplits(name, found.file))
      reason ??= `there is only ${found.file}, of another split`;
    else if (found) return { hit: found };
  }
  reason ??= likeness(names[0], folder);
  return reason === undefined ? {} : { reason };
}

/** The names that one picture of COCO has in the years' downloads: COCO_val2014_000000000042.jpg is 000000000042.jpg of 2017. */
function otherCocoNames(name: string): string[] {
  const [, number] = /(?:^|[/\\])(?:COCO_(?:train|val)2014_)?(\d{12})\.jpg$/i.exec(name) ?? [];
  if (number === undefined) return [];
  return ['', 'COCO_train2014_', 'COCO_val2014_'].map((prefix) => `${prefix}${number}.jpg`);
}

/** Whether the folders of two paths are those of different splits. */
function areOtherSplits(name: string, file: string): boolean {
  const splitOf = (path: string) =>
    path
      .split(/[/\\]/)
      .slice(0, -1)
      .flatMap((part) => parseSplit(part) ?? [])
      .at(-1);
  const [wanted, there] = [splitOf(name), splitOf(file)];
  return wanted !== undefined && there !== undefined && wanted !== there;
}

/** A file that is probably meant and is not taken. */
function likeness(name: string, folder: ImageFolder): string | undefined {
  const other = new FileFinder(folder.passedOver).find(name);
  if (other && 'file' in other) return `${other.file} is of a kind that is not read`;
  const stem = withoutExtension(name);
  const found = stem === name ? undefined : folder.finder.find(stem);
  return found && 'file' in found ? `there is ${found.file}` : undefined;
}

function looselyNote(cases: readonly string[]): string {
  return `${plural(cases.length, 'image is', 'images are')} named in other capitals or spaces than ${cases.length === 1 ? 'its file' : 'their files'}: ${cases[0]}.`;
}
