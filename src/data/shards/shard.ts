/** What a shard gives, whatever it is: its samples one after the other, and what is wrong with it. */
import type { InputError } from '../../base/errors.ts';
import type { Columns, JsonObject } from '../captions/records.ts';
import type { SplitName } from '../datasets/dataset.ts';

/** A picture with what the shard says of it. */
export interface ShardSample {
  readonly kind: 'sample';
  /** What its files share, or the name in a table; unique within the shard where its writer kept to that. */
  readonly key: string;
  readonly shard: string;
  /** As `formatAddress` writes it: any reader of pictures takes it for a path. */
  readonly address: string;
  /** None where it has no text. */
  readonly captions: readonly string[];
  /** As its record says; undefined: it does not. */
  readonly split: SplitName | undefined;
  /** Its JSON, or the other columns of its row. */
  readonly metadata: JsonObject | undefined;
  /** The picture's bytes. @throws InputError naming the address */
  read(): Promise<Uint8Array>;
}

/** Something that gives no sample; the rest goes on. */
export interface ShardFault {
  readonly kind: 'text without picture' | 'damage';
  /** The sample or, where it is not of one, the shard. */
  readonly address: string;
  /** One sentence with the address. */
  readonly error: InputError;
}

export type ShardItem = ShardSample | ShardFault;

/** A shard on this machine. */
export interface OpenShard {
  /** Its samples in their order; at most one (of a table, a row group) is in memory. */
  samples(options?: SampleOptions): AsyncGenerator<ShardItem>;
  /** A picture's bytes by its member's name. @throws InputError naming the address */
  read(member: string): Promise<Uint8Array>;
}

export interface SampleOptions {
  /** Which fields hold the picture and the caption, where their names do not say so. */
  readonly columns?: Columns | undefined;
}
