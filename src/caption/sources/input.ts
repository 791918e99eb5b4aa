/** A picture to be captioned, and how pictures are looked for. */
import type { InputError } from '../../base/errors.ts';
import type { Columns } from '../../data/captions/records.ts';

/** One picture to caption, one of a folder that is passed over for its kind, or an input that gives none. */
export type CaptionInput =
  | { readonly kind: 'url'; readonly name: string }
  | { readonly kind: 'passed over'; readonly name: string }
  /** `name`: its address in the shard. */
  | {
      readonly kind: 'in shard';
      readonly name: string;
      readonly key: string;
      readonly shard: string;
      read(): Promise<Uint8Array>;
    }
  /** `path`: where the file is, when the name is written in other code points than the file's. */
  | { readonly kind: 'file'; readonly name: string; readonly path?: string }
  | { readonly kind: 'nothing'; readonly name: string; readonly error: InputError };

export interface InputOptions {
  /** Look into the folders of folders. Default false. */
  readonly recursive?: boolean;
  /** Take http(s) addresses. Default false. */
  readonly allowUrl?: boolean;
  /** Also take .svg files of folders. Default false. */
  readonly allowSvg?: boolean;
  /** The column of the pictures in Parquet tables, where it is not told. */
  readonly columns?: Columns;
  /** What `-` reads: a path or address a line, or ended by zero bytes. Default: the standard input. */
  readonly stdin?: NodeJS.ReadableStream;
  /** Ends the waiting for lines of it; whoever reads on looks at the signal. */
  readonly signal?: AbortSignal;
}
