/** Seeded randomness: every random number of the project comes from here and from an explicit seed. */

/** A stream of pseudo-random numbers. */
export interface Random {
  /** Uniform in [0, 1) with 53 random bits. */
  next(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal deviate. */
  normal(): number;
  /** The internal state, to store in a checkpoint. */
  state(): readonly [number, number, number, number];
}

/**
 * xoshiro128** (Blackman and Vigna 2018), its state filled from `seed` by splitmix32, or restored
 * from a state stored earlier.
 */
export function createRandom(seed: number | readonly [number, number, number, number]): Random {
  const state = typeof seed === 'number' ? seededState(seed) : Int32Array.from(seed);
  const nextInt = (): number => {
    const [s0, s1] = state;
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9);
    const shifted = s1 << 9;
    state[2] ^= s0;
    state[3] ^= s1;
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 11);
    return result >>> 0;
  };
  const next = (): number => ((nextInt() >>> 5) * 67108864 + (nextInt() >>> 6)) / 9007199254740992;
  return {
    next,
    integer: (bound) => Math.floor(next() * bound),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    state: () => [state[0], state[1], state[2], state[3]],
  };
}

/** Shuffles `items` in place (Fisher and Yates) and returns them. */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function seededState(seed: number): Int32Array {
  // High bits of large seeds count too.
  let x = (seed ^ Math.floor(seed / 4294967296)) | 0;
  const state = new Int32Array(4);
  for (let i = 0; i < 4; i++) {
    x = (x + 0x9e3779b9) | 0;
    let z = x ^ (x >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    state[i] = z ^ (z >>> 15);
  }
  return state;
}
