/** Numbers as the page shows them. */

/** The part of a word's probability that it owes to the picture, from 0 to 1. */
export const shareOf = (dependence: number): number => 1 - Math.exp(-Math.max(0, dependence));

/** 0.634 -> '63 %'. */
export const percent = (probability: number): string => `${Math.round(100 * probability)} %`;
