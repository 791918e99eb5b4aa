/** An ablation's tables as text, Markdown or JSON. Pure. */

import { markdownTable, plainTable } from '../score/report.ts';
import type { AblationFormat } from './output-formats.ts';
import { speedName } from './speed/schema.ts';
import type { Spread } from './statistics.ts';
import {
  type Ablation,
  type AblationRow,
  comparedMetrics,
  type TableMetric,
  tableMetrics,
} from './table.ts';

/** The tables in the given format, ending in a line break. */
export function formatAblation(ablation: Ablation, format: AblationFormat): string {
  if (format === 'json') return `${JSON.stringify(ablation, null, 2)}\n`;
  const table = format === 'table' ? plainTable : markdownTable;
  const { data, baseline, bootstrap } = ablation;
  const parts = [
    `Means over seeds ± standard deviation, ${data.images} images of ${data.split}. Kept: captioned with the training-only layers. METEOR without paraphrases.\n`,
    table(scoreCells(ablation.rows)),
  ];
  const single = ablation.rows.filter(({ singleReference }) => singleReference);
  if (single.length > 0)
    parts.push(
      'The same captions against one reference at a time, means over the references.\n',
      table(singleReferenceCells(single)),
    );
  const compared = ablation.rows.filter(({ comparison }) => comparison);
  if (compared.length > 0)
    parts.push(
      `Minus ${baseline}, same seeds and images. Intervals: bootstrap over images and seeds; p: randomization over images (it says nothing of other seeds); ${bootstrap.resamples} resamples. METEOR: the mean over images.\n`,
      table(comparisonCells(compared)),
    );
  const { speed } = ablation;
  if (speed)
    parts.push(
      `Captioning picture by picture, ${speed.images} pictures; medians of ${speed.asked.rounds} rounds.\n`,
      table([
        ['model', 'ms a picture', 'words a caption', 'peak MiB', 'weights MiB'],
        ...speed.entries.map((entry) => [
          speedName(entry),
          entry.median.milliseconds.toFixed(1),
          entry.median.words.toFixed(1),
          entry.median.peakMiB.toFixed(0),
          entry.weightsMiB.toFixed(1),
        ]),
      ]),
    );
  return parts.join('\n');
}

function nameOf({ variant, kept }: AblationRow): string {
  return kept ? `${variant}, kept` : variant;
}

function scoreCells(rows: readonly AblationRow[]): string[][] {
  const names = Object.keys(tableMetrics) as TableMetric[]; // keys of a constant
  return [
    ['variant', 'seeds', 'nats a word', ...names.map((name) => tableMetrics[name]), 'minutes'],
    ...rows.map((row) => [
      nameOf(row),
      seedsOf(row.seeds),
      shown(row.nats, 3),
      ...names.map((name) => shown(row.metrics[name], 4)),
      row.kept ? '' : shown(row.trainingMinutes, 1),
    ]),
  ];
}

function singleReferenceCells(rows: readonly AblationRow[]): string[][] {
  const names = Object.keys(tableMetrics) as TableMetric[]; // keys of a constant
  return [
    ['variant', 'seeds', ...names.map((name) => tableMetrics[name])],
    ...rows.map((row) => [
      nameOf(row),
      seedsOf(row.seeds),
      ...names.map((name) => shown(row.singleReference?.[name], 4)),
    ]),
  ];
}

/** Blank for the start, which has none. */
function seedsOf(seeds: readonly number[]): string {
  return seeds.length > 0 ? String(seeds.length) : '';
}

function comparisonCells(rows: readonly AblationRow[]): string[][] {
  return [
    [
      'variant',
      'seeds',
      'nats a word',
      ...comparedMetrics.flatMap((name) => [tableMetrics[name], '95 % interval', 'p']),
    ],
    ...rows.flatMap((row) => {
      if (!row.comparison) return [];
      const { seeds, nats, metrics } = row.comparison;
      const differences = comparedMetrics.flatMap((name) => {
        const { difference, low, high, pValue } = metrics[name];
        return [
          signed(difference, 4),
          `${signed(low, 4)} to ${signed(high, 4)}`,
          pValue.toFixed(4),
        ];
      });
      return [[nameOf(row), String(seeds.length), shown(nats, 3, true), ...differences]];
    }),
  ];
}

function shown(spread: Spread | undefined, digits: number, isSigned = false): string {
  if (!spread) return '';
  const { mean, deviation } = spread;
  const text = isSigned ? signed(mean, digits) : mean.toFixed(digits);
  return deviation === undefined ? text : `${text} ± ${deviation.toFixed(digits)}`;
}

function signed(value: number, digits: number): string {
  const text = value.toFixed(digits).replace(/^-(?=0\.?0*$)/, '');
  return text.startsWith('-') ? text : `+${text}`;
}
