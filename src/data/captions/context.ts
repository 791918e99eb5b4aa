/** What the readers of caption files share: the file, where its captions go, which splits are wanted. */
import { InputError } from '../../base/errors.ts';
import type { CaptionFormat } from './formats.ts';
import type { CaptionHandler, Columns, Place, RecordReader, Role } from './records.ts';
import type { TextSource } from './source.ts';

export interface Context {
  source: TextSource;
  format: CaptionFormat;
  role: Role;
  sink: CaptionHandler;
  records: RecordReader;
  keep: SplitFilter;
  notes: string[];
  columns: Columns;
  /** Whether a dataset is read, whose commands can be told the columns. */
  isDataset: boolean;
  /** The folder of each file name of a Karpathy file, by which equal names are told apart. */
  folders: Map<string, string>;
}

/** A place of the file in words. */
export type Describe = (place: Place) => string;
export const describeLine: Describe = (place) => `line ${place}`;

/** Chooses records by their split, and remembers which splits there are. */
export class SplitFilter {
  readonly #file: string;
  readonly #wanted: Set<string> | undefined;
  readonly #seen = new Set<string>();
  readonly #sink: CaptionHandler;

  constructor(file: string, wanted: readonly string[] | undefined, sink: CaptionHandler) {
    this.#file = file;
    this.#wanted = wanted && new Set(wanted);
    this.#sink = sink;
  }

  takes(split: unknown): boolean {
    this.#sink.split?.(typeof split === 'string' ? split : undefined);
    if (this.#wanted === undefined) return true;
    if (typeof split !== 'string') return false;
    this.#seen.add(split);
    return this.#wanted.has(split);
  }

  /** @throws InputError when a wanted split is not in the file. */
  check(): void {
    for (const split of this.#wanted ?? []) {
      if (this.#seen.has(split)) continue;
      throw new InputError(
        this.#seen.size === 0
          ? `${this.#file}: nothing here belongs to a split; leave out --split, or give a Karpathy dataset_*.json.`
          : `${this.#file}: there is no split "${split}"; choose from ${[...this.#seen].sort().join(', ')}.`,
      );
    }
  }
}
