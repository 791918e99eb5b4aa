/** Files that are given as captions by mistake: what they are, and the way out. */
import { InputError } from '../../base/errors.ts';
import { sniffFormat } from '../images/formats.ts';

interface Kind {
  readonly what: string;
  readonly wayOut: string;
  /** Names that such files have. */
  readonly name: RegExp;
  /** First bytes of such files; '?' stands for any byte. */
  readonly signatures: readonly string[];
}

const columns =
  'write its pictures to files and its captions to a metadata.jsonl beside them, each line {"file_name": "...", "text": "..."}';
const unpack = (command: string) => `unpack it first (${command}), and name the folder`;
const sheet = 'save the sheet as CSV (UTF-8)';

const kinds: readonly Kind[] = [
  { what: 'a Parquet table', wayOut: columns, name: /\.parquet$/i, signatures: ['PAR1'] },
  {
    what: 'an Arrow table',
    wayOut: columns,
    name: /\.(?:arrow|feather)$/i,
    signatures: ['ARROW1', '\xff\xff\xff\xff'],
  },
  {
    what: 'a tar archive (WebDataset keeps pictures so)',
    wayOut: unpack('tar -xf'),
    name: /\.tar$/i,
    signatures: [`${'?'.repeat(257)}ustar`],
  },
  {
    what: 'an Excel workbook',
    wayOut: sheet,
    name: /\.xlsx$/i,
    signatures: ['[Content_Types]', '_rels/', 'xl/', 'docProps/'].map(
      (first) => `PK\x03\x04${'?'.repeat(26)}${first}`,
    ),
  },
  {
    what: 'an Excel workbook',
    wayOut: sheet,
    name: /\.xls$/i,
    signatures: ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'],
  },
  {
    what: 'compressed',
    wayOut: unpack('unzip'),
    name: /\.zip$/i,
    signatures: ['PK\x03\x04', 'PK\x05\x06'],
  },
  {
    what: 'a compressed tar archive',
    wayOut: unpack('tar -xzf'),
    name: /\.(?:tar\.gz|tgz)$/i,
    signatures: [],
  },
  {
    what: 'compressed twice',
    wayOut: unpack('gunzip'),
    name: /\.gz\.gz$/i,
    signatures: ['\x1f\x8b'],
  },
  {
    what: 'compressed',
    wayOut: 'unpack it first (xz -d, or tar -xJf)',
    name: /\.xz$/i,
    signatures: ['\xfd7zXZ'],
  },
  {
    what: 'compressed',
    wayOut: 'unpack it first (bunzip2, or tar -xjf)',
    name: /\.bz2$/i,
    signatures: ['BZh?1AY&SY'],
  },
  {
    what: 'compressed',
    wayOut: 'unpack it first (zstd -d)',
    name: /\.zst$/i,
    signatures: ['\x28\xb5\x2f\xfd'],
  },
  { what: 'compressed', wayOut: unpack('7z x'), name: /\.7z$/i, signatures: ['7z\xbc\xaf'] },
  { what: 'compressed', wayOut: unpack('unrar x'), name: /\.rar$/i, signatures: ['Rar!\x1a\x07'] },
  {
    what: 'a Python pickle',
    wayOut: 'write the captions as JSON in Python (json.dump)',
    name: /\.(?:pkl|pickle)$/i,
    signatures: ['\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05'],
  },
  {
    what: 'a NumPy array',
    wayOut: 'write the captions as JSON in Python (json.dump)',
    name: /\.npy$/i,
    signatures: ['\x93NUMPY'],
  },
  { what: 'an HDF5 file', wayOut: columns, name: /\.(?:h5|hdf5)$/i, signatures: ['\x89HDF'] },
  {
    what: 'an SQLite database',
    wayOut: 'export the table as CSV (sqlite3 -csv -header)',
    name: /\.(?:sqlite3?|db)$/i,
    signatures: ['SQLite format 3\0'],
  },
];

const wanted = 'it should hold captions as text: JSON, JSONL, CSV, TSV or lines';

/**
 * @param bytes The start of a file that should hold captions.
 * @throws InputError one sentence that says what it is instead, where that is certain.
 */
export function refuseOtherKinds(name: string, bytes: Buffer): void {
  const text = bytes.subarray(0, 512).toString('latin1');
  const begins = (signature: string): boolean =>
    [...signature].every((char, i) => char === '?' || char === text[i]);
  const kind = kinds.find(({ signatures }) => signatures.some(begins));
  if (kind) throw new InputError(`${name}: the file is ${kind.what}; ${kind.wayOut}.`);
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff))
    throw new InputError(
      `${name}: the file is UTF-16; convert it, for example with iconv -f utf-16 -t utf-8.`,
    );
  const sniffed = sniffFormat(bytes);
  if ('decodable' in sniffed)
    throw new InputError(`${name}: the file is a picture (${sniffed.decodable}); ${wanted}.`);
  if (!['text', 'of an unknown kind', 'filled with zeros'].includes(sniffed.other))
    throw new InputError(`${name}: the file is ${sniffed.other}; ${wanted}.`);
}

/** A sentence on the first of the files that hold data of a kind that is not read, by its name. */
export function describeOtherKind(files: readonly string[]): string | undefined {
  for (const file of files) {
    const kind = kinds.find(({ name }) => name.test(file));
    if (kind) return `${file} is ${kind.what}; ${kind.wayOut}`;
  }
  return undefined;
}
