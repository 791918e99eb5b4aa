/** Alt texts: from captions, and the pictures of a site that have none. */
export type { Gap, GapProblem, Slot } from './pages/gap.ts';
export type { Position } from './pages/position.ts';
export type { LocatedPicture } from './pictures/locate.ts';
export { type Finding, type ScannedPage, type ScanOptions, scanSite } from './scan.ts';
export { type AltTextOptions, type AltTextValues, altText, wordsOfFileName } from './text.ts';
