/** A report of explanations as tables to read. */
import { alignedLines } from '../../base/table.ts';
import { curves } from './faithfulness.ts';
import type { ExplainReport, FaithfulnessReport, PointingReport } from './report.ts';
import type { Estimate } from './statistics.ts';

type Row = readonly string[];

export function formatReport({ pointing, faithfulness, sanity, invented }: ExplainReport): string {
  const parts: string[] = [];
  if (pointing) parts.push(pointingTable(pointing));
  if (faithfulness) parts.push(faithfulnessTable(faithfulness));
  if (sanity) {
    const stages = Object.entries(sanity);
    const names = Object.keys(stages[0]?.[1] ?? {});
    const rows = stages.map(([stage, by]) => [
      stage,
      ...names.map((name) => number(by[name].mean, 2)),
    ]);
    parts.push(
      table('Rank correlation with the maps of', ['changed: weights shuffled', ...names], rows),
    );
  }
  if (invented) {
    const { words, invented: count, dependence, probability, difference } = invented;
    parts.push(
      table(
        `Invented words: ${count} of ${words}; area under the ROC curve`,
        ['by', 'area', '95 % interval'],
        [
          ['visual dependence', ...withInterval(dependence)],
          ['probability', ...withInterval(probability)],
          ['probability over that by language alone', ...withInterval(invented.gain)],
          ['fitted to the three probabilities', ...withInterval(invented.fitted)],
          ['dependence less probability', ...withInterval(difference)],
          ['fitted less probability', ...withInterval(invented.fittedDifference)],
        ],
      ),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

function pointingTable({ phrases, by }: PointingReport): string {
  const types = Object.keys(Object.values(by)[0]?.hitsByType ?? {});
  const rows = Object.entries(by).map(([name, { hits, softIou, aboveCentre, hitsByType }]) => [
    ...[name, ...withInterval(hits), number(softIou.mean)],
    `${signed(aboveCentre.difference)} (${signed(aboveCentre.low)} to ${signed(aboveCentre.high)})`,
    ...types.map((type) => number(hitsByType[type].hits, 2)),
  ]);
  return table(
    `Pointing game: ${phrases} phrases`,
    ['', 'hits', '95 % interval', 'soft IoU', 'hits above centre', ...types],
    rows,
  );
}

function faithfulnessTable({ words, oracleWords, by }: FaithfulnessReport): string {
  const rows = Object.entries(by).map(([name, { areas, normalised, gap, above }]) => [
    name,
    ...curves.map((curve) => {
      const raw = number(areas[curve], 2);
      return normalised ? `${raw} (${number(normalised[curve], 2)})` : raw;
    }),
    ...withInterval(gap, 2),
    ...Object.values(above).map(({ pValue }) => (name in above ? '' : pValue.toFixed(4))),
  ]);
  const baselines = Object.keys(Object.values(by)[0]?.above ?? {});
  return table(
    `Deletion and insertion: ${words} words; areas in nats (normalised from random order, 0, to the greedy oracle, 1, over ${oracleWords} words)`,
    ['', ...curves, 'gap', '95 % interval', ...baselines.map((name) => `p, ${name}`)],
    rows,
  );
}

function withInterval({ mean, low, high }: Estimate, digits = 3): [string, string] {
  return [number(mean, digits), `${number(low, digits)} to ${number(high, digits)}`];
}

function number(value: number, digits = 3): string {
  return value.toFixed(digits);
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${number(value)}`;
}

/** Columns as wide as what is in them. */
function table(title: string, head: Row, rows: readonly Row[]): string {
  return [title, ...alignedLines([head, ...rows])].join('\n');
}
