/** The forms of a report, each written row by row: lines, JSON, and SARIF for code scanning. */
import { describeEntry, type ReportEntry } from './entry.ts';
import { sarifEnd, sarifResult, sarifStart } from './sarif.ts';

export const altReportFormats = ['text', 'json', 'sarif'] as const;
export type AltReportFormat = (typeof altReportFormats)[number];

interface FormatRules {
  readonly start: string;
  readonly between: string;
  readonly end: string;
  row(entry: ReportEntry): string;
}

const rules: Readonly<Record<AltReportFormat, FormatRules>> = {
  text: { start: '', between: '', end: '', row: (entry) => `${describeEntry(entry)}\n` },
  json: { start: '[\n', between: ',\n', end: '\n]\n', row: (entry) => JSON.stringify(entry) },
  sarif: { start: sarifStart, between: ',\n', end: sarifEnd, row: sarifResult },
};

/** The text of a report, in pieces, as the entries come. */
export async function* reportText(
  entries: AsyncIterable<ReportEntry>,
  format: AltReportFormat,
): AsyncGenerator<string> {
  const { start, between, end, row } = rules[format];
  yield start;
  let isFirst = true;
  for await (const entry of entries) {
    yield (isFirst ? '' : between) + row(entry);
    isFirst = false;
  }
  yield end;
}
