/** `refcap/explain`: why a captioner writes each word, as maps over the picture. */
export {
  type ExplainedWord,
  type ExplainOptions,
  type Explanation,
  explain,
  explainAll,
} from './explain.ts';
export { defaultMethod, type MethodName, methodNames } from './methods/names.ts';
