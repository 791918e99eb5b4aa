/** Names that the command offers, apart from what they stand for. */

export const wireDtypes = ['f32', 'bf16'] as const;
export type WireDtype = (typeof wireDtypes)[number];
