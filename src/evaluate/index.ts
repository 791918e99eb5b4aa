/** `refcap/evaluate`: a model's captions, scores and speed on a split of a dataset. */
export { type CalibrateOptions, calibrateModel } from './calibrate/calibrate.ts';
export { type EvaluateOptions, type Evaluation, evaluateModel } from './evaluate.ts';
