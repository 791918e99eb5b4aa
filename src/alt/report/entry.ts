/** What a report tells of: pictures without alt text, and pages that could not be read. */
import { formatConfidence } from '../../confidence/shown.ts';
import type { FillOutcome } from '../fill.ts';
import type { Finding, ScannedPage } from '../scan.ts';

/** The kinds of what is told; SARIF's rules. */
export const problems = {
  'alt-missing': 'A picture has no alt text.',
  'alt-empty': 'A picture has an empty alt text, and nothing says that it is decoration.',
  'page-broken': 'A page cannot be read, so that its pictures are not known.',
} as const;
export type Problem = keyof typeof problems;

/** One line of a report. Lines and columns from 1. */
export interface ReportEntry {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly problem: Problem;
  /** The picture's address as the page has it, where it has one. */
  readonly source?: string;
  /** The picture's file, where there is one that can be captioned. */
  readonly picture?: string;
  /** Why there is none, or what is wrong with the page. */
  readonly reason?: string;
}

/** What a page gives a report. */
export function entriesOf(scanned: ScannedPage): ReportEntry[] {
  const { path: file } = scanned;
  if (scanned.kind === 'read') return scanned.findings.map((finding) => entryOf(file, finding));
  const { line, column, reason } = scanned;
  return [{ file, line, column, problem: 'page-broken', reason }];
}

function entryOf(file: string, { gap, picture, line, column }: Finding): ReportEntry {
  return {
    file,
    line,
    column,
    problem: `alt-${gap.problem}`,
    ...(picture.source !== undefined && { source: picture.source }),
    ...(picture.kind === 'file' ? { picture: picture.path } : { reason: picture.reason }),
    ...(gap.unsafe !== undefined && { reason: gap.unsafe }),
  };
}

const beginnings: Readonly<Record<Problem, string>> = {
  'alt-missing': 'no alt text',
  'alt-empty': 'empty alt text',
  'page-broken': 'broken page',
};

/** What is wrong, without the place: `no alt text: dog.jpg (there is no such file)`. */
export function messageOf({ problem, source, reason }: ReportEntry): string {
  const named = source === undefined ? '' : `: ${source}`;
  return `${beginnings[problem]}${named}${reason === undefined ? '' : ` (${reason})`}`;
}

/** `page.html:3:5: no alt text: dog.jpg` */
export function describeEntry(entry: ReportEntry): string {
  const { file, line, column } = entry;
  return `${file}:${line}:${column}: ${messageOf(entry)}`;
}

/** `page.html:3:5: "A dog runs" (84 %): dog.jpg` */
export function describeOutcome(file: string, finding: Finding, outcome: FillOutcome): string {
  const entry = entryOf(file, finding);
  const place = `${file}:${entry.line}:${entry.column}`;
  switch (outcome.kind) {
    case 'filled':
      return `${place}: ${JSON.stringify(outcome.text)} (${formatConfidence(outcome.confidence)}): ${entry.source}`;
    case 'doubtful': {
      const asked = outcome.isAsked ? 'a comment asks for a text' : 'left';
      return `${place}: ${asked} (${formatConfidence(outcome.confidence)}): ${entry.source}`;
    }
    case 'left':
      return describeEntry({ ...entry, reason: outcome.reason });
  }
}
