/** Parquet tables of pictures, as Hugging Face keeps them: a column of {bytes, path}, others of captions. */
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { InputError } from '../../base/errors.ts';
import { fieldKey } from '../captions/fields.ts';
import { type Columns, isObject, type JsonObject } from '../captions/records.ts';
import { parseSplit } from '../datasets/dataset.ts';
import { formatAddress, keyOf } from './address.ts';
import { captionsOfRecord } from './captions.ts';
import type { OpenShard, ShardItem } from './shard.ts';

/** @param shard what addresses call it @throws InputError when it is no Parquet table, or cut off */
export async function openParquet(path: string, shard: string): Promise<OpenShard> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
    throw damaged(shard, error);
  });
  const table = new Table(shard, file, metadata);
  return {
    samples: (options) => table.samples(options?.columns),
    read: (member) => table.read(member),
  };
}

function damaged(path: string, error: unknown): InputError {
  // What the reader says is told, but for its own stumbling over what is not there.
  const isTold = error instanceof Error && error.name === 'Error';
  const reason = isTold ? ` (${error.message.replace(/\.$/, '')})` : '';
  return new InputError(
    `${path}: the Parquet table is cut off, damaged or of a rare kind${reason}; fetch or write it again.`,
  );
}

interface RowGroup {
  readonly start: number;
  readonly end: number;
}

/** Row groups that are kept for those who read pictures one by one: two, as the next one's first are read ahead. */
const kept = 2;

class Table {
  readonly #shard: string;
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;
  readonly #groups: readonly RowGroup[];
  /** Pictures of the row groups read last, by group and column. */
  readonly #pictures = new Map<string, Promise<JsonObject[]>>();
  constructor(shard: string, file: AsyncBuffer, metadata: FileMetaData) {
    this.#shard = shard;
    this.#file = file;
    this.#metadata = metadata;
    let start = 0;
    this.#groups = metadata.row_groups.map(({ num_rows }) => {
      const group = { start, end: start + Number(num_rows) };
      start = group.end;
      return group;
    });
  }

  async *samples(columns: Columns = {}): AsyncGenerator<ShardItem> {
    const column = this.#pictureColumn(columns);
    // An address alone leads to the column that is the picture's by itself.
    const suffix = columns.image === undefined ? '' : `@${column}`;
    for (const group of this.#groups) {
      let rows: JsonObject[];
      try {
        rows = await this.#rows(group);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        yield { kind: 'damage', address: this.#shard, error };
        continue;
      }
      for (const [i, row] of rows.entries())
        yield this.#item(row, { column, member: `${group.start + i}${suffix}`, columns });
    }
  }

  /** @param member the number of its row, and `@COLUMN` where the picture's was named */
  async read(member: string): Promise<Uint8Array> {
    const [, number = '-1', image] = /^(\d+)(?:@(.+))?$/s.exec(member) ?? [];
    const row = Number(number);
    const group = this.#groups.find(({ start, end }) => row >= start && row < end);
    const address = formatAddress({ kind: 'parquet', member, shard: this.#shard });
    if (!group) throw new InputError(`${address}: there is no such row in the table.`);
    const column = this.#pictureColumn({ image });
    const place = `${group.start} ${column}`;
    let rows = this.#pictures.get(place);
    if (!rows) {
      rows = this.#rows(group, [column]);
      for (const old of [...this.#pictures.keys()].slice(0, 1 - kept)) this.#pictures.delete(old);
      this.#pictures.set(place, rows);
    }
    const [value] = Object.values((await rows)[row - group.start]);
    const bytes = bytesIn(value);
    if (bytes) return bytes;
    throw new InputError(`${address}: the row has no picture.`);
  }

  async #rows({ start, end }: RowGroup, columns?: string[]): Promise<JsonObject[]> {
    try {
      return await parquetReadObjects({
        file: this.#file,
        metadata: this.#metadata,
        compressors,
        // Bytes are text only where the schema says so.
        utf8: false,
        rowStart: start,
        rowEnd: end,
        ...(columns && { columns }),
      });
    } catch (error) {
      throw damaged(this.#shard, error);
    }
  }

  #item(
    row: JsonObject,
    { column, member, columns }: { column: string; member: string; columns: Columns },
  ): ShardItem {
    const { [column]: value, ...others } = row;
    const address = formatAddress({ kind: 'parquet', member, shard: this.#shard });
    const bytes = bytesIn(value);
    const captions = captionsOfRecord(others, columns);
    if (bytes === undefined)
      return {
        kind: 'text without picture',
        address,
        error: new InputError(`${address}: the row has no picture's bytes.`),
      };
    return {
      kind: 'sample',
      key: rowKey(value, others) ?? member,
      shard: this.#shard,
      address,
      captions,
      split: typeof others.split === 'string' ? parseSplit(others.split) : undefined,
      metadata: others,
      read: async () => bytes,
    };
  }

  /** @throws InputError when no column holds pictures */
  #pictureColumn({ image, caption }: Columns): string {
    const { children } = parquetSchema(this.#metadata);
    const names = children.map(({ element }) => element.name);
    for (const asked of [image, caption])
      if (asked !== undefined && !names.includes(asked))
        throw new InputError(
          `${this.#shard}: there is no column "${asked}"; it has ${names.join(', ')}.`,
        );
    const column =
      image ??
      children.find(isPictureStruct)?.element.name ??
      children.find(isPictureBytes)?.element.name;
    if (column !== undefined) return column;
    throw new InputError(
      `${this.#shard}: no column holds pictures, as {bytes, path} or as bytes; it has ${names.join(', ')}; say which with --image-column.`,
    );
  }
}

function isPictureStruct({ children }: SchemaTree): boolean {
  return children.some(({ element }) => element.name === 'bytes' && element.type === 'BYTE_ARRAY');
}

const pictureColumns =
  'image img jpg jpeg png webp picture photo imagebytes imagedata bytes content';

function isPictureBytes({ element, children }: SchemaTree): boolean {
  return (
    children.length === 0 &&
    element.type === 'BYTE_ARRAY' &&
    element.converted_type !== 'UTF8' &&
    pictureColumns.split(' ').includes(fieldKey(element.name))
  );
}

function bytesIn(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return isObject(value) && value.bytes instanceof Uint8Array ? value.bytes : undefined;
}

/** The name that the picture's path or a column gives. */
function rowKey(value: unknown, { key, __key__ }: JsonObject): string | undefined {
  const path = isObject(value) && typeof value.path === 'string' ? keyOf(value.path) : undefined;
  return [path, __key__, key].find((name) => typeof name === 'string' && name !== '')?.toString();
}
