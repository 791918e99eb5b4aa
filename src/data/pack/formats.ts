/** The kinds of shards that are written, each from samples to bytes: the same samples give the same bytes. */
import type { SplitName } from '../datasets/dataset.ts';
import type { ImageFormat } from '../images/formats.ts';
import { tarBlock, tarHeader } from '../shards/tar/header.ts';

/** A picture with what is said of it, as it goes into a shard. */
export interface PackedSample {
  readonly key: string;
  readonly id: string;
  readonly split: SplitName;
  readonly captions: readonly string[];
  readonly bytes: Uint8Array;
  readonly extension: string;
}

export const packFormats = ['webdataset', 'parquet'] as const;
export type PackFormat = (typeof packFormats)[number];

interface PackFormatRules {
  readonly ending: string;
  /** The shard's bytes, piece by piece. */
  write(samples: AsyncIterable<PackedSample>): AsyncIterable<Uint8Array>;
}

export const packFormatRules: Readonly<Record<PackFormat, PackFormatRules>> = {
  webdataset: { ending: '.tar', write: writeTar },
  parquet: { ending: '.parquet', write: writeParquet },
};

/** The endings under which pictures are put into shards; those without one are left out. */
export const packedExtensions: Readonly<Partial<Record<ImageFormat, string>>> = {
  JPEG: '.jpg',
  PNG: '.png',
  WebP: '.webp',
  AVIF: '.avif',
  HEIC: '.heic',
  GIF: '.gif',
  TIFF: '.tiff',
  BMP: '.bmp',
};

async function* writeTar(samples: AsyncIterable<PackedSample>): AsyncGenerator<Uint8Array> {
  for await (const { key, id, split, captions, bytes, extension } of samples) {
    yield* tarFile(`${key}${extension}`, bytes);
    yield* tarFile(
      `${key}.txt`,
      Buffer.from(captions.map((text) => `${oneLine(text)}\n`).join('')),
    );
    yield* tarFile(`${key}.json`, Buffer.from(JSON.stringify({ id, split, captions })));
  }
  yield new Uint8Array(2 * tarBlock);
}

/** A line of the text file is a caption. */
function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}

function* tarFile(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield tarHeader(name, bytes.length);
  yield bytes;
  yield new Uint8Array((tarBlock - (bytes.length % tarBlock)) % tarBlock);
}

/** Rows of a row group: a reader of one picture reads so many. */
const rowGroupSize = 100;

/** What makes Hugging Face's datasets show the column as pictures. */
const features = {
  image: { _type: 'Image' },
  captions: { feature: { dtype: 'string', _type: 'Value' }, _type: 'Sequence' },
  id: { dtype: 'string', _type: 'Value' },
  split: { dtype: 'string', _type: 'Value' },
};

async function* writeParquet(samples: AsyncIterable<PackedSample>): AsyncGenerator<Uint8Array> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const all: PackedSample[] = [];
  for await (const sample of samples) all.push(sample);
  const text = (name: string) => ({
    name,
    type: 'BYTE_ARRAY' as const,
    converted_type: 'UTF8' as const,
    repetition_type: 'OPTIONAL' as const,
  });
  const group = { repetition_type: 'OPTIONAL' as const };
  const buffer = parquetWriteBuffer({
    columnData: [
      {
        name: 'image',
        data: all.map(({ bytes, key, extension }) => ({ bytes, path: `${key}${extension}` })),
        // Pictures are compressed by themselves, and say nothing in a statistic.
        codec: 'UNCOMPRESSED',
        statistics: false,
      },
      { name: 'captions', data: all.map(({ captions }) => [...captions]) },
      { name: 'id', data: all.map(({ id }) => id) },
      { name: 'split', data: all.map(({ split }) => split) },
    ],
    schema: [
      { name: 'schema', num_children: 4 },
      { name: 'image', num_children: 2, ...group },
      { name: 'bytes', type: 'BYTE_ARRAY', ...group },
      text('path'),
      { name: 'captions', num_children: 1, converted_type: 'LIST', ...group },
      { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
      text('element'),
      text('id'),
      text('split'),
    ],
    rowGroupSize,
    kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }],
  });
  yield new Uint8Array(buffer);
}
