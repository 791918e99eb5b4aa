/** Layers, losses, optimizers, and the parameter store. */
export { channelDropout, type Dropout, dropoutSeed, noDropout, seededDropout } from './dropout.ts';
export {
  attention,
  causalMask,
  embeddingTable,
  layerNorm,
  linear,
  mergeHeads,
  splitHeads,
} from './layers.ts';
export { type CountedLoss, crossEntropy, klDivergence } from './losses.ts';
export { adamW, type Optimizer, type StepSettings, sgd, withAverage } from './optimizers.ts';
export { type Group, ParameterStore, usualGroup } from './parameter-store.ts';
export { createSchedule, type Schedule, type ScheduleOptions } from './schedules.ts';
export { type Initializer, normal, ones, type ParameterSpec, Scope, zeros } from './scope.ts';
export { Updater } from './updater.ts';
