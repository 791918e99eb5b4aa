/** Names of samples in shards, made of the images' ids. */
import { createHash } from 'node:crypto';
import { withoutExtension } from '../images/find.ts';

/** With the longest ending, it fits into the 100 bytes that a tar's header has for a name. */
const longest = 80;

/**
 * A key for each id, all different: the id without its ending, of letters, digits, - and _, folders kept. Where that is
 * another's or too long, a hash of the id is added.
 */
export function sampleKeys(ids: readonly string[]): string[] {
  const used = new Set<string>();
  return ids.map((id) => {
    const plain = withoutExtension(id)
      .replace(/[^\w/-]+|_+/g, '_')
      .replace(/^\/+|\/+$/g, '')
      .replace(/\/+/g, '/');
    const isFit = plain !== '' && plain.length <= longest && !used.has(plain);
    const key = isFit ? plain : `${plain.slice(0, longest - 17)}-${hashOf(id)}`;
    used.add(key);
    return key;
  });
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 16);
}
