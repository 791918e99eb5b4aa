/** `refcap/train`: training runs, as `refcap train` makes them, and their settings. */
export {
  parseTrainConfig,
  presets,
  type TrainConfig,
} from './config/config.ts';
export { applySetting, mergeSettings, readConfigFile, type Settings } from './config/file.ts';
export { type PresetName, presetNames } from './config/names.ts';
export { type RunOptions, trainRun } from './loop/run.ts';
export type { TrainingEvent } from './loop/trainer.ts';
export { type Recipe, readRecipe, type Stage } from './recipe/recipe.ts';
export { type RecipeOptions, trainMembers, trainStages } from './recipe/stages.ts';
