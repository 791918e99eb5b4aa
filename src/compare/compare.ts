/** Two evaluations of the same pictures: what differs between them, and how sure that is. */
import { InputError } from '../base/errors.ts';
import {
  type EvaluatedCaption,
  type EvaluationFolder,
  readEvaluation,
} from '../evaluate/run-folder.ts';
import { scoreSystems } from '../metrics/corpus/score.ts';
import { defaultMetrics } from '../metrics/registry.ts';
import { selectMetrics } from '../metrics/selection.ts';
import type { SystemReport } from '../score/report.ts';
import { makeReports } from '../score/reports.ts';
import { settingsOf } from '../score/settings.ts';
import { countCaptions, scoreRunner } from '../score/threads.ts';

export interface CompareOptions {
  /** The two folders; differences are second minus first. */
  readonly folders: readonly [string, string];
  /** Resamples of intervals and p-values. */
  readonly bootstrap: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** One picture with both captions. */
export interface ComparedImage {
  readonly file: string;
  readonly path: string;
  readonly references: readonly string[];
  readonly captions: readonly [string, string];
  /** Of each caption, by name. */
  readonly scores: readonly [Readonly<Record<string, number>>, Readonly<Record<string, number>>];
  /** 0: the same words; 1: no word in common. */
  readonly disagreement: number;
}

export interface Comparison {
  /** Of the runs, so that they tell them apart. */
  readonly names: readonly [string, string];
  readonly runs: readonly [EvaluationFolder, EvaluationFolder];
  /** Of both; the second holds the differences. */
  readonly reports: readonly SystemReport[];
  readonly images: readonly ComparedImage[];
}

/**
 * Paired differences with bootstrap intervals (Koehn 2004) and p-values by approximate
 * randomization (Riezler and Maxwell 2005).
 * @throws InputError when a folder is no evaluation, or the two are of different splits, pictures or references
 */
export async function compareEvaluations(options: CompareOptions): Promise<Comparison> {
  const [a, b] = options.folders;
  const runs = [await readEvaluation(a), await readEvaluation(b)] as const;
  checkSame(...runs);
  const second = new Map(runs[1].captions.map((caption) => [caption.file, caption]));
  const images = runs[0].captions.map((first) => compared(first, second.get(first.file) ?? first));
  const names = runNames(runs);
  return { names, runs, images, reports: await scorePair(runs, names, options) };
}

function checkSame(a: EvaluationFolder, b: EvaluationFolder): void {
  const [splitA, splitB] = [a.results.data.split, b.results.data.split];
  if (splitA !== splitB)
    throw new InputError(
      `${a.folder} is of the ${splitA} split and ${b.folder} of the ${splitB} split; evaluate both on the same one.`,
    );
  const references = new Map(a.captions.map((image) => [image.file, image.references]));
  for (const { file, references: own } of b.captions) {
    const known = references.get(file);
    if (!known)
      throw new InputError(
        `${b.folder}: ${file} is not among the pictures of ${a.folder}; the two must be of the same pictures.`,
      );
    if (JSON.stringify(known) !== JSON.stringify(own))
      throw new InputError(
        `${b.folder}: ${file} has other references than in ${a.folder}; evaluate both on the same data.`,
      );
    references.delete(file);
  }
  const [missing] = references.keys();
  if (missing !== undefined)
    throw new InputError(
      `${b.folder}: ${missing} of ${a.folder} is missing; the two must be of the same pictures.`,
    );
}

function compared(a: EvaluatedCaption, b: EvaluatedCaption): ComparedImage {
  return {
    file: a.file,
    path: a.path,
    references: a.references,
    captions: [a.caption, b.caption],
    scores: [a.scores, b.scores],
    disagreement: disagreement(a.caption, b.caption),
  };
}

/** One minus the share of words that two captions have in common (Jaccard distance of their word sets). */
export function disagreement(a: string, b: string): number {
  const [first, second] = [a, b].map(
    (text) => new Set(text.toLowerCase().match(/[\p{L}\p{N}']+/gu)),
  );
  const union = new Set([...first, ...second]).size;
  if (union === 0) return 0;
  return 1 - [...first].filter((word) => second.has(word)).length / union;
}

function runNames(runs: Comparison['runs']): [string, string] {
  const [a, b] = runs.map(({ folder }) => folder.replace(/[\\/]+$/, ''));
  return a === b ? [`${a} (first)`, `${b} (second)`] : [a, b];
}

async function scorePair(
  runs: Comparison['runs'],
  names: Comparison['names'],
  { bootstrap, seed, signal }: CompareOptions,
): Promise<SystemReport[]> {
  const files = runs[0].captions.map(({ file }) => file);
  const references = runs[0].captions.map((image) => image.references);
  const systems = runs.map(({ captions }) => {
    const byFile = new Map(captions.map(({ file, caption }) => [file, caption]));
    return files.map((file) => byFile.get(file) ?? '');
  });
  const scores = await scoreSystems(systems, references, {
    bootstrap,
    seed,
    signal,
    runner: () => scoreRunner(countCaptions(systems.length, references)),
  });
  const settings = settingsOf({
    selection: selectMetrics(defaultMetrics),
    referenceCounts: references.map(({ length }) => length),
    bootstrap,
    seed,
  });
  return makeReports(
    scores,
    names.map((system) => ({ system, n: files.length, settings })),
  );
}
