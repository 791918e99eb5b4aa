/** The names of what is measured of explanations, for whoever need not measure. */
export const measureNames = ['pointing', 'faithfulness', 'sanity', 'invented'] as const;
export type MeasureName = (typeof measureNames)[number];
