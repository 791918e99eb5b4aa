/** `refcap/alt` without Node: alt texts from captions. */
export { type AltTextOptions, type AltTextValues, altText, wordsOfFileName } from './text.ts';
