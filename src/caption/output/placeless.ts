/** Pictures beside which nothing can be written. */
import { parseAddress } from '../../data/shards/address.ts';

/** Where a picture is that is no file; undefined of files. */
export function placeless(file: string): 'from an address' | 'in a shard' | undefined {
  if (/^https?:/i.test(file)) return 'from an address';
  return parseAddress(file) ? 'in a shard' : undefined;
}
