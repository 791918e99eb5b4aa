/** What is said of an explained word: how sure the model was, and how much it needed the picture. */

/** What is told of a word; pages know it by JSON. */
interface ToldWord {
  readonly logprob: number;
  readonly dependence: number;
  readonly place: string;
}

export const dependenceLevels = ['hardly', 'a little', 'much', 'wholly'] as const;
export type DependenceLevel = (typeof dependenceLevels)[number];

/** Nats from which on a word depends so on the picture: factors of its probability of 1.25, 2 and 7.4. */
const bounds = [0.22, 0.69, 2];

/** How much a word depends on the picture, in four steps. Below 0 the picture spoke against it. */
export function dependenceLevel({ dependence }: Pick<ToldWord, 'dependence'>): DependenceLevel {
  return dependenceLevels[bounds.filter((bound) => dependence >= bound).length];
}

/** 'looked lower left; 95 % sure; depends on the picture a little' */
export function describeWord(word: ToldWord): string {
  const { place, logprob } = word;
  const sure = `${Math.round(100 * Math.exp(logprob))} % sure`;
  const looked = place === 'centre' ? 'at the centre' : place;
  return `looked ${looked}; ${sure}; depends on the picture ${dependenceLevel(word)}`;
}
