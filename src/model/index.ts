/** `refcap/model`: captioners as graphs, and their checkpoints: loading, saving, converting. */
export * from './browser.ts';
export { type Converted, type ConvertOptions, convertModel } from './checkpoint/convert.ts';
export { type SavedDtype, savedDtypes } from './checkpoint/dtypes.ts';
export { memberFolders } from './checkpoint/members.ts';
export {
  type LoadModelOptions,
  loadModel,
  loadParameters,
  type PretrainedModel,
} from './checkpoint/pretrained.ts';
export { hasRefiner, openRefiner, type SavedRefiner } from './checkpoint/refiner.ts';
export {
  type ModelToSave,
  type SaveModelOptions,
  saveModel,
  storeWeights,
} from './checkpoint/save.ts';
export { openTower, type PretrainedTower, towerOfModel } from './checkpoint/tower.ts';
