/** Cleans training captions as BLIP's training code does. */

/**
 * BLIP's `pre_caption`: lower case, the marks . ! " ( ) * # : ; ~ become spaces, runs of white space
 * become one space, and only the first `maxWords` words are kept. Commas, apostrophes and hyphens
 * stay, as there.
 */
export function cleanCaption(caption: string, maxWords = 50): string {
  const cleaned = caption
    .toLowerCase()
    .replace(/[.!"()*#:;~]/g, ' ')
    .replace(/\p{White_Space}{2,}/gu, ' ')
    .replace(/\n+$/, '')
    .replace(/^ +| +$/g, '');
  const words = cleaned.split(' ');
  return words.length > maxWords ? words.slice(0, maxWords).join(' ') : cleaned;
}

/** The words that a caption is trained as: BLIP's cleaning, and no commas, which the metrics drop too. */
export function captionWords(caption: string): string[] {
  const text = cleanCaption(caption, Number.POSITIVE_INFINITY).replaceAll(',', ' ');
  return text.split(/\s+/).filter(Boolean);
}
