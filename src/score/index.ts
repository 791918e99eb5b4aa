/** Scoring caption files, and the data that METEOR needs. */
export { type ScoreFilesOptions, scoreFiles } from './files.ts';
export { loadMeteorData, loadParaphraseTable } from './meteor-data.ts';
export type { ReportInterval, SystemReport } from './report.ts';
