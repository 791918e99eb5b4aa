/** Pictures that look alike: groups by their perceptual hashes. */

/** Bits in which two pictures of one look may differ. */
export const mostDifferentBits = 6;

/** One more band than bits that differ: two hashes so near agree in a whole band. */
const bands = mostDifferentBits + 1;

/**
 * Groups of hashes that are chained by pairs at most `mostDifferentBits` apart.
 * @param hashes of 64 bits; undefined where a picture could not be read
 * @returns the group's number of each, undefined for what is like no other
 */
export function similarGroups(hashes: readonly (bigint | undefined)[]): (number | undefined)[] {
  const union = new Union(hashes.length);
  const parts = hashes.map((hash) =>
    hash === undefined ? undefined : ([Number(hash >> 32n), Number(hash & 0xffffffffn)] as const),
  );
  for (const bucket of buckets(hashes))
    for (const [i, a] of bucket.entries())
      for (const b of bucket.slice(i + 1)) {
        const [left, right] = [parts[a], parts[b]];
        if (!left || !right || union.find(a) === union.find(b)) continue;
        const different = bitCount(left[0] ^ right[0]) + bitCount(left[1] ^ right[1]);
        if (different <= mostDifferentBits) union.join(a, b);
      }
  return union.groups();
}

/** Places of hashes that agree in one band. Of equal hashes one stands for all. */
function* buckets(hashes: readonly (bigint | undefined)[]): Generator<number[]> {
  const same = new Map<bigint, number[]>();
  for (const [place, hash] of hashes.entries()) {
    if (hash === undefined) continue;
    const list = same.get(hash);
    if (list) list.push(place);
    else same.set(hash, [place]);
  }
  for (const list of same.values()) for (const place of list.slice(1)) yield [list[0], place];
  for (let band = 0; band < bands; band++) {
    const [from, to] = [band, band + 1].map((edge) => Math.floor((64 * edge) / bands));
    const mask = (1n << BigInt(to - from)) - 1n;
    const byBand = new Map<bigint, number[]>();
    for (const [hash, [place]] of same) {
      const key = (hash >> BigInt(from)) & mask;
      const list = byBand.get(key);
      if (list) list.push(place);
      else byBand.set(key, [place]);
    }
    yield* byBand.values();
  }
}

function bitCount(value: number): number {
  let bits = value - ((value >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Sets of numbers that are joined (union-find). */
class Union {
  readonly #parent: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, i) => i);
  }

  find(place: number): number {
    let root = place;
    while (this.#parent[root] !== root) {
      this.#parent[root] = this.#parent[this.#parent[root]];
      root = this.#parent[root];
    }
    return root;
  }

  join(a: number, b: number): void {
    const [first, second] = [this.find(a), this.find(b)].sort((x, y) => x - y);
    this.#parent[second] = first;
  }

  /** Groups of two and more, numbered by their first members. */
  groups(): (number | undefined)[] {
    const roots = Array.from(this.#parent, (_, place) => this.find(place));
    const sizes = new Map<number, number>();
    for (const root of roots) sizes.set(root, (sizes.get(root) ?? 0) + 1);
    return roots.map((root) => ((sizes.get(root) ?? 0) > 1 ? root : undefined));
  }
}
