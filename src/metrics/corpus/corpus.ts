/** The captions of a corpus as the scoring reads them. */

/** Captions to score: image i of system s has one candidate and some references, as UTF-8. */
export interface Corpus {
  images: number;
  systems: number;
  candidate(system: number, image: number): Uint8Array;
  references(image: number): readonly Uint8Array[];
  referenceCount(image: number): number;
}

const encoder = new TextEncoder();

/**
 * A corpus of strings.
 * @param systems the captions of each, in the order of the images.
 * @param references of each image.
 */
export function corpusOf(
  systems: readonly (readonly string[])[],
  references: readonly (readonly string[])[],
): Corpus {
  return {
    images: references.length,
    systems: systems.length,
    candidate: (system, image) => encoder.encode(systems[system][image]),
    references: (image) => references[image].map((text) => encoder.encode(text)),
    referenceCount: (image) => references[image].length,
  };
}
