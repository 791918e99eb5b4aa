/** What `refcap score` prints: the scores of one or several systems as table, JSON, CSV or Markdown. */
import { csvLines } from '../base/csv.ts';
import { alignedLines } from '../base/table.ts';

export const reportFormats = ['table', 'json', 'csv', 'markdown'] as const;
export type ReportFormat = (typeof reportFormats)[number];

export interface ReportInterval {
  low: number;
  high: number;
}

export interface ReportDifference extends ReportInterval {
  difference: number;
  p_value: number;
}

/** One system's scores. */
export interface SystemReport {
  system: string;
  /** Images scored. */
  n: number;
  metrics: Record<string, number>;
  /** Of each metric of images; absent without a bootstrap. */
  intervals?: Record<string, ReportInterval>;
  /** This system minus the first one; absent for the first. */
  comparison?: { baseline: string; differences: Record<string, ReportDifference> };
  /** Everything that the scores depend on. */
  settings: Record<string, unknown>;
}

/** How a score is called in headings; METEOR without the paraphrase table says so. */
export type Headings = (name: string) => string;

/** The report in the given format, ending in a line break. */
export function formatReports(
  reports: readonly SystemReport[],
  format: ReportFormat,
  heading: Headings,
): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(jsonReport(reports), null, 2)}\n`;
    case 'csv':
      return csvReport(reports);
    case 'table':
      return plainTable(cells(reports, heading));
    case 'markdown':
      return markdownTable(cells(reports, heading));
  }
}

/** One object for one system; an array of objects with `system` for several. */
function jsonReport(reports: readonly SystemReport[]): unknown {
  if (reports.length > 1) return reports;
  const [{ system: _, ...rest }] = reports;
  return rest;
}

/** A line a system and score. */
function csvReport(reports: readonly SystemReport[]): string {
  const header = 'system,n,metric,score,low,high,difference,difference_low,difference_high,p_value';
  const rows = reports.flatMap(({ system, n, metrics, intervals, comparison }) =>
    Object.entries(metrics).map(([name, score]) => {
      const interval = intervals?.[name];
      const difference = comparison?.differences[name];
      return [
        system,
        n,
        name,
        score,
        interval?.low,
        interval?.high,
        difference?.difference,
        difference?.low,
        difference?.high,
        difference?.p_value,
      ];
    }),
  );
  return csvLines([header.split(','), ...rows]);
}

/** Rows of a table: a heading row, then one a metric; systems side by side. */
function cells(reports: readonly SystemReport[], heading: Headings): string[][] {
  const several = reports.length > 1;
  const columns = reports.flatMap(({ system, n, metrics, intervals, comparison }) => {
    const name = several ? system : 'score';
    const scores = { title: `${name} (n = ${n})`, of: (metric: string) => number(metrics[metric]) };
    const parts = [scores];
    if (intervals) parts.push({ title: 'interval', of: (metric) => range(intervals[metric]) });
    if (comparison) {
      const { baseline, differences } = comparison;
      parts.push(
        { title: `minus ${baseline}`, of: (metric) => signed(differences[metric]?.difference) },
        { title: 'interval', of: (metric) => range(differences[metric]) },
        { title: 'p', of: (metric) => differences[metric]?.p_value.toFixed(4) ?? '' },
      );
    }
    return parts;
  });
  const names = Object.keys(reports[0].metrics);
  return [
    ['metric', ...columns.map(({ title }) => title)],
    ...names.map((name) => [heading(name), ...columns.map(({ of }) => of(name))]),
  ];
}

function number(value: number): string {
  return Number.isInteger(value) && Math.abs(value) > 1 ? String(value) : fixed(value);
}

function fixed(value: number): string {
  return value.toFixed(4).replace(/^-(?=0\.0+$)/, '');
}

function range(interval: ReportInterval | undefined): string {
  return interval ? `${number(interval.low)} to ${number(interval.high)}` : '';
}

function signed(value: number | undefined): string {
  return value === undefined ? '' : fixed(value).replace(/^(?!-)/, '+');
}

/** Columns of equal width; the first row is the header. */
export function plainTable(rows: readonly (readonly string[])[]): string {
  return `${alignedLines(rows).join('\n')}\n`;
}

/** The same as a Markdown table. */
export function markdownTable([header, ...rows]: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${header.map((_, i) => (i === 0 ? ' --- ' : ' ---: ')).join('|')}|`;
  return `${[line(header), rule, ...rows.map(line)].join('\n')}\n`;
}
