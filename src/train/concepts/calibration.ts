/** Platt's scaling (Platt 1999): from a score to a probability that means what it says. Pure. */
import { sigmoid } from '../../confidence/logistic.ts';

/** p = sigmoid(slope x + shift). */
export interface Scaling {
  readonly slope: number;
  readonly shift: number;
}

const identity: Scaling = { slope: 1, shift: 0 };

/**
 * The scaling of largest likelihood for log-odds and whether each was right, by Newton's method with a little
 * ridge towards leaving them as they are.
 */
export function fitScaling(logits: ArrayLike<number>, right: ArrayLike<boolean>): Scaling {
  let at = identity;
  let loss = lossOf(at, logits, right);
  for (let round = 0; round < 100; round++) {
    const step = newtonStep(at, logits, right);
    // A whole step may go too far where the scores are far off; a part of it always leads down.
    let share = 1;
    let next = moved(at, step, share);
    let reached = lossOf(next, logits, right);
    while (reached > loss && share > 1e-6) {
      share /= 2;
      next = moved(at, step, share);
      reached = lossOf(next, logits, right);
    }
    if (!(reached < loss - 1e-12)) break;
    at = next;
    loss = reached;
  }
  return at;
}

function moved({ slope, shift }: Scaling, step: Scaling, share: number): Scaling {
  return { slope: slope - share * step.slope, shift: shift - share * step.shift };
}

/** Weight of the squared distance from leaving scores as they are. */
const ridge = 1;

function lossOf(
  { slope, shift }: Scaling,
  logits: ArrayLike<number>,
  right: ArrayLike<boolean>,
): number {
  let loss = (ridge / 2) * ((slope - 1) ** 2 + shift ** 2);
  for (let i = 0; i < logits.length; i++) {
    const x = slope * logits[i] + shift;
    // log(1 + exp(x)) - x where it is right, without overflow.
    loss += Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - (right[i] ? x : 0);
  }
  return loss;
}

/** The inverse of the second derivatives times the first ones. */
function newtonStep(
  { slope, shift }: Scaling,
  logits: ArrayLike<number>,
  right: ArrayLike<boolean>,
): Scaling {
  let [gSlope, gShift] = [ridge * (slope - 1), ridge * shift];
  let [hSlope, hBoth, hShift] = [ridge, 0, ridge];
  for (let i = 0; i < logits.length; i++) {
    const x = logits[i];
    const p = sigmoid(slope * x + shift);
    const error = p - (right[i] ? 1 : 0);
    const weight = p * (1 - p);
    gSlope += error * x;
    gShift += error;
    hSlope += weight * x * x;
    hBoth += weight * x;
    hShift += weight;
  }
  const determinant = hSlope * hShift - hBoth * hBoth;
  return {
    slope: (hShift * gSlope - hBoth * gShift) / determinant,
    shift: (hSlope * gShift - hBoth * gSlope) / determinant,
  };
}
