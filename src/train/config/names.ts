/** The presets of training by name, for whoever need not check settings. */

export const presetNames = ['refcap', 'paper', 'plain'] as const;
export type PresetName = (typeof presetNames)[number];
