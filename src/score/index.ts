/** Scoring caption files, and the data that METEOR needs. */

export { loadMeteorData } from '../data/text/meteor-data.ts';
export { type ScoreFilesOptions, scoreFiles } from './files.ts';
export { loadParaphraseTable } from './paraphrases.ts';
export type { ReportInterval, SystemReport } from './report.ts';
