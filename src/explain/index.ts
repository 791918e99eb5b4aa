/** `refcap/explain`: why a captioner writes each word, as maps over the picture. */
export { type ExplainOptions, explain, explainAll } from './explain.ts';
export type { ExplainedWord, Explanation } from './explanation.ts';
export { defaultMethod } from './methods/default.ts';
export { type MethodName, methodNames } from './methods/names.ts';
