/** Scoring caption files, and the data that METEOR needs. */
export { type ScoreFilesOptions, scoreFiles } from './files.ts';
export { loadMeteorData } from './meteor-data.ts';
export { loadParaphraseTable } from './paraphrases.ts';
export type { ReportInterval, SystemReport } from './report.ts';
