/** How a session's threads wait for work. */

/** Values of a model below which its runs are short. */
const smallModel = 50_000_000;

/**
 * Settings (`SessionOptions.extra`) for a model of so many values. ONNX Runtime's threads wait for work in a loop; where
 * runs are short and several sessions take turns, what waits takes the cores from the session whose turn it is. (Two
 * cores, captioning: 1.8 times as fast without the loop with 10M values, no clear difference with 224M.)
 */
export function threadSettings(values: number): Readonly<Record<string, string>> {
  return values < smallModel ? { 'session.intra_op.allow_spinning': '0' } : {};
}
