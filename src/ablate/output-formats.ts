/** How an ablation's tables may be written. */

export const ablationFormats = ['table', 'json', 'markdown'] as const;
export type AblationFormat = (typeof ablationFormats)[number];
