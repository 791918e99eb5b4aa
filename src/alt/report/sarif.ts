/** SARIF 2.1.0 (OASIS), which GitHub's code scanning and editors show: a log of one run, written result by result. */
import { isAbsolute, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Log, Result, Run } from 'sarif';
import { version } from '../../base/version.ts';
import { messageOf, problems, type ReportEntry } from './entry.ts';

const run: Run = {
  tool: {
    driver: {
      name: 'refcap alt',
      version: version(),
      rules: Object.entries(problems).map(([id, text]) => ({
        id,
        shortDescription: { text },
        defaultConfiguration: { level: id === 'page-broken' ? 'warning' : 'error' },
      })),
    },
  },
  columnKind: 'utf16CodeUnits',
  results: [],
};
const log: Log = {
  $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
  version: '2.1.0',
  runs: [run],
};

/** The log, cut where its results go. */
const [before, behind] = JSON.stringify(log).split('"results":[]');

export const sarifStart: string = `${before}"results":[\n`;
export const sarifEnd: string = `\n]${behind}\n`;

export function sarifResult(entry: ReportEntry): string {
  const { file, line, column, problem } = entry;
  const result: Result = {
    ruleId: problem,
    level: problem === 'page-broken' ? 'warning' : 'error',
    message: { text: messageOf(entry) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
  };
  return JSON.stringify(result);
}

/** Relative paths are relative to where the command is run: in CI, the repository. */
function uriOf(path: string): string {
  if (isAbsolute(path)) return pathToFileURL(path).href;
  return path.split(sep).map(encodeURIComponent).join('/');
}
