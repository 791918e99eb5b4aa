/** Formats of numbers that a model may be saved in. */

export const savedDtypes = ['f32', 'f16', 'bf16'] as const;
export type SavedDtype = (typeof savedDtypes)[number];
