/** Measurements of explanations as a report: means with intervals, differences with p-values; and as a table to read. */
import type { Difference } from '../../metrics/bootstrap.ts';
import type { ExplainMeasurements } from './evaluate.ts';
import { type Areas, type Curve, curves } from './faithfulness.ts';
import { type InventedReport, reportInvented } from './invented.ts';
import type { PhraseResult } from './pointing.ts';
import { difference, type Estimate, estimate, type Share } from './statistics.ts';

export interface PointingReport {
  readonly phrases: number;
  /** By method and baseline. */
  readonly by: Readonly<
    Record<
      string,
      {
        readonly hits: Estimate;
        readonly softIou: Estimate;
        /** Hits less those of the centre. */
        readonly aboveCentre: Difference;
        readonly hitsByType: Readonly<Record<string, { hits: number; phrases: number }>>;
      }
    >
  >;
}

export interface FaithfulnessReport {
  readonly words: number;
  readonly oracleWords: number;
  /** By method and baseline. */
  readonly by: Readonly<
    Record<
      string,
      {
        /** Mean log-probability in nats: low is good for deletion, high for insertion. */
        readonly areas: Readonly<Record<Curve, number>>;
        /** Of the way from random order (0) to the greedy oracle (1), over the words that have one. */
        readonly normalised?: Readonly<Record<Curve, number>>;
        /** Insertion less deletion, mean over fills. */
        readonly gap: Estimate;
        /** The gap less that of each baseline. */
        readonly above: Readonly<Record<string, Difference>>;
      }
    >
  >;
}

export interface ExplainReport {
  readonly pointing?: PointingReport;
  readonly faithfulness?: FaithfulnessReport;
  /** Mean rank correlation with the model's own maps, by stage and method. */
  readonly sanity?: Readonly<Record<string, Readonly<Record<string, Estimate>>>>;
  readonly invented?: InventedReport;
}

/** @param seed of the resamples */
export function reportOf(measured: ExplainMeasurements, seed: number): ExplainReport {
  const { pointing, faithfulness, sanity, invented } = measured;
  return {
    ...(pointing && { pointing: reportPointing(pointing, seed) }),
    ...(faithfulness && { faithfulness: reportFaithfulness(faithfulness, seed) }),
    ...(sanity && {
      sanity: Object.fromEntries(
        [...sanity].map(([stage, rows]) => [
          stage,
          Object.fromEntries([...rows].map(([name, shares]) => [name, estimate(shares, seed)])),
        ]),
      ),
    }),
    ...(invented && { invented: reportInvented(invented, seed) }),
  };
}

function reportPointing(
  images: readonly (readonly PhraseResult[])[],
  seed: number,
): PointingReport {
  const names = Object.keys(images.flat()[0]?.by ?? {});
  const shares = (name: string, value: 'hit' | 'overlap'): Share[] =>
    images.map((phrases) => ({
      sum: phrases.reduce((sum, { by }) => sum + by[name][value], 0),
      count: phrases.length,
    }));
  const types = [...new Set(images.flat().flatMap((phrase) => phrase.types))].sort();
  const rows = names.map((name) => {
    const byType = types.map((type) => {
      const own = images.flat().filter((phrase) => phrase.types.includes(type));
      const hits = own.reduce((sum, { by }) => sum + by[name].hit, 0) / own.length;
      return [type, { hits, phrases: own.length }];
    });
    return [
      name,
      {
        hits: estimate(shares(name, 'hit'), seed),
        softIou: estimate(shares(name, 'overlap'), seed),
        aboveCentre: difference(shares('centre', 'hit'), shares(name, 'hit'), seed),
        hitsByType: Object.fromEntries(byType),
      },
    ];
  });
  return { phrases: images.flat().length, by: Object.fromEntries(rows) };
}

/** What every method is compared with. */
const baselines = ['random', 'centre', 'edges'] as const;

function reportFaithfulness(
  words: readonly ReadonlyMap<string, Areas>[],
  seed: number,
): FaithfulnessReport {
  const withOracle = words.filter((word) => word.has('oracle'));
  const names = [...(words[0]?.keys() ?? [])].filter((name) => name !== 'oracle');
  const mean = (some: typeof words, name: string, curve: Curve): number =>
    some.reduce((sum, word) => sum + areaOf(word, name, curve), 0) / some.length;
  const byCurve = (of: (curve: Curve) => number) =>
    Object.fromEntries(curves.map((curve) => [curve, of(curve)]));
  const gaps = (name: string): Share[] =>
    words.map((word) => ({ sum: gapOf(word, name), count: 1 }));
  const rows = names.map((name) => [
    name,
    {
      areas: byCurve((curve) => mean(words, name, curve)),
      ...(withOracle.length > 0 && {
        normalised: byCurve((curve) => {
          const from = mean(withOracle, 'random', curve);
          return (
            (mean(withOracle, name, curve) - from) / (mean(withOracle, 'oracle', curve) - from)
          );
        }),
      }),
      gap: estimate(gaps(name), seed),
      above: Object.fromEntries(
        baselines.map((other) => [other, difference(gaps(other), gaps(name), seed)]),
      ),
    },
  ]);
  return { words: words.length, oracleWords: withOracle.length, by: Object.fromEntries(rows) };
}

function areaOf(word: ReadonlyMap<string, Areas>, name: string, curve: Curve): number {
  return word.get(name)?.[curve] ?? Number.NaN;
}

function gapOf(word: ReadonlyMap<string, Areas>, name: string): number {
  return (
    curves.reduce(
      (sum, curve) => sum + (curve.endsWith('insertion') ? 1 : -1) * areaOf(word, name, curve),
      0,
    ) / 2
  );
}
