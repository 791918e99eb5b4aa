/** The files of an archive that share a key, as a sample: a picture with .txt and .json. */
import { extname } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { type Columns, isObject, type JsonObject } from '../captions/records.ts';
import { parseSplit } from '../datasets/dataset.ts';
import { pictureKind } from '../images/formats.ts';
import { formatAddress, type ShardAddress } from './address.ts';
import { captionsOfRecord, captionsOfText } from './captions.ts';
import type { ShardItem, ShardSample } from './shard.ts';

/** A file of an archive. */
export interface ArchiveFile {
  readonly name: string;
  /** @throws InputError naming its address */
  read(): Promise<Uint8Array>;
}

/** Which archive a group is of. */
export type Archive = Pick<ShardAddress, 'kind' | 'shard'>;

/** Names of files that say nothing of a picture: hidden ones, and what WebDataset's writers note. */
export function isAside(name: string): boolean {
  const own = name.slice(name.lastIndexOf('/') + 1);
  return own.startsWith('.') || own.startsWith('__') || name.startsWith('__MACOSX/');
}

const extension = ({ name }: ArchiveFile): string => extname(name).toLowerCase();
const isText = (file: ArchiveFile): boolean => ['.txt', '.caption'].includes(extension(file));

/** The sample that files of one key make, and what is wrong with them. Files of other kinds are left alone. */
export async function* samplesOfGroup(
  key: string,
  files: readonly ArchiveFile[],
  archive: Archive,
  columns: Columns | undefined,
): AsyncGenerator<ShardItem> {
  const ofKind = (kind: string) => files.filter((file) => pictureKind(extension(file)) === kind);
  const addressOf = ({ name }: ArchiveFile) => formatAddress({ ...archive, member: name });
  const [picture, other] = ofKind('read');
  const text = files.find(isText);
  const json = files.find((file) => extension(file) === '.json');
  if (picture === undefined) {
    const strange = ofKind('passed over')[0];
    const lone = strange ?? text ?? json;
    if (lone === undefined) return;
    const address = addressOf(lone);
    const what =
      strange === undefined
        ? 'a text without a picture; no picture of this key is in the shard'
        : 'a picture of a kind that is not read; convert it to JPEG or PNG';
    yield fault(address, what, 'text without picture');
    return;
  }
  const address = addressOf(picture);
  const said = await textsOf(text, json, columns, addressOf);
  const sample: ShardSample = {
    kind: 'sample',
    key,
    shard: archive.shard,
    address,
    captions: said.captions,
    split: typeof said.record?.split === 'string' ? parseSplit(said.record.split) : undefined,
    metadata: said.record,
    read: () => picture.read(),
  };
  yield sample;
  for (const error of said.faults) yield { kind: 'damage', address, error };
  if (other !== undefined)
    yield fault(address, `${other.name} has the same key, ${key}; the first is read`);
}

function fault(
  address: string,
  what: string,
  kind: 'text without picture' | 'damage' = 'damage',
): ShardItem {
  return { kind, address, error: new InputError(`${address}: ${what}.`) };
}

interface Said {
  readonly captions: string[];
  readonly record: JsonObject | undefined;
  readonly faults: readonly InputError[];
}

/** What the text says goes before what the record says. */
async function textsOf(
  text: ArchiveFile | undefined,
  json: ArchiveFile | undefined,
  columns: Columns | undefined,
  addressOf: (file: ArchiveFile) => string,
): Promise<Said> {
  const faults: InputError[] = [];
  const read = async <T>(
    file: ArchiveFile | undefined,
    parse: (text: string) => T,
  ): Promise<T | undefined> => {
    if (file === undefined) return undefined;
    try {
      return parse(decode(await file.read(), addressOf(file)));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      faults.push(error);
      return undefined;
    }
  };
  const record = await read(json, (content) => parseRecord(content, json && addressOf(json)));
  const lines = columns?.caption === undefined ? await read(text, captionsOfText) : undefined;
  return { captions: lines ?? (record ? captionsOfRecord(record, columns) : []), record, faults };
}

function decode(bytes: Uint8Array, address: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${address}: not valid UTF-8; write the shard again.`);
  }
}

function parseRecord(content: string, address = ''): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${address}: not valid JSON (${reason}); write the shard again.`);
  }
  if (isObject(value)) return value;
  throw new InputError(`${address}: this should be a JSON object; write the shard again.`);
}
