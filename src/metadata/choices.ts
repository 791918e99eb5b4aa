/** What can be chosen of captions in metadata; by itself, for who only lists the choices. */

/** What becomes of words that are there: the picture is left alone, or ... */
export const existingChoices = ['keep', 'overwrite', 'append', 'empty-only'] as const;
export type Existing = (typeof existingChoices)[number];

/** How files beside pictures are named: photo.jpg.xmp or photo.xmp. */
export const sidecarNamings = ['full', 'stem'] as const;
export type SidecarNaming = (typeof sidecarNamings)[number];
