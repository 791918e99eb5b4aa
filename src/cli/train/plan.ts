/** `refcap train --plan`: what the run would take, from a few of its steps. */
import { plural } from '../../base/plural.ts';
import { alignedLines } from '../../base/table.ts';
import { type Exchange, measureExchange } from '../../train/distributed/exchange.ts';
import type { WireDtype } from '../../train/distributed/names.ts';
import type { WholeRun } from '../../train/loop/options.ts';
import type { RunOptions } from '../../train/loop/run.ts';
import { estimateStage, secondsOfAll } from '../../train/plan/estimate.ts';
import { type RehearsedStage, rehearse } from '../../train/plan/rehearse.ts';
import type { Recipe, Stage } from '../../train/recipe/recipe.ts';

const machines = [2, 4, 8, 16, 32, 64];
const networks = [1, 10, 100];
/** Seconds of a message on an ordinary network, and until ranks have met; not measured. */
const latency = 50e-6;
const meeting = 1e-3;

/** Rehearses all stages, and prints the plan. */
export async function printPlan(
  options: Omit<RunOptions, 'config'>,
  recipe: Recipe,
  wire: WireDtype | undefined,
): Promise<void> {
  const stages = await rehearse(options, stagesOf(recipe));
  const exchange = { ...(await measureExchange(wire)), latency, meeting };
  const blocks = [...stages.map(describeStage), describeAll(stages, exchange, wire)];
  console.log(blocks.map((lines) => lines.join('\n')).join('\n\n'));
}

/** All stages in the order in which they are trained; those of a member begin anew. */
function stagesOf({ config, stages = [], members }: Recipe) {
  if (config) return [{ config, from: 'best' as const, runs: 1, isFirst: true }];
  const lists: (readonly Stage[])[] = members ? [...members] : [stages];
  return lists.flatMap((list, member) =>
    list.map((stage, place) => ({
      ...stage,
      isFirst: place === 0,
      name: members ? `member ${member + 1}, ${stage.name}` : stage.name,
    })),
  );
}

type Row = readonly [what: string, how: string, much: string];

function describeStage({ name, runs, rehearsal }: RehearsedStage): string[] {
  const found = estimateStage({ runs, rehearsal });
  const { whole, stepSeconds, features, peakBytes, checkpointBytes, modelBytes } = rehearsal;
  const { config, images, shards } = whole;
  const { seconds, bytes } = found;
  const often = runs > 1 ? `${runs} runs of ` : '';
  const parts = config.microBatch === null ? '' : ` in parts of ${config.microBatch}`;
  const range = [Math.min(...stepSeconds), Math.max(...stepSeconds)].map(short).join(' to ');
  const ofFeatures: Row[] = features
    ? [
        [
          'features',
          `${count(images.train * config.views + images.dev)} images and views; ${rate(features.seconds)}`,
          time(seconds.features),
        ],
      ]
    : [];
  const rows: Row[] = [
    ['images', describeImages(whole), ''],
    [
      'steps',
      `${often}${count(found.steps)}, ${count(found.stepsPerEpoch)} an epoch, of ${config.batchSize} images${parts}; ${short(found.secondsPerStep)} each (${range})`,
      time(seconds.steps),
    ],
    ...ofFeatures,
    [
      'validations',
      `${runs * found.epochs} of ${time(seconds.validations / (runs * found.epochs))}`,
      time(seconds.validations),
    ],
    ['in all', '', time(seconds.all)],
    ['memory', `${size(whole.trainedValues * 4)} of trained weights`, size(peakBytes)],
    [
      'disk',
      `checkpoints of ${size(checkpointBytes)}, models of ${size(modelBytes)}${features ? `, features of ${size(bytes.features)}` : ''}${features && shards ? ` (${size(bytes.features / shards)} a shard)` : ''}`,
      size(bytes.all),
    ],
  ];
  const lines = alignedLines(rows, (column) => column === 2);
  return name === undefined ? lines : [`stage ${name}`, ...lines];
}

function describeImages({ images, captions, isGuess, shards }: WholeRun): string {
  const of = shards === undefined ? 'to train on' : `an epoch, of ${plural(shards, 'shard')},`;
  const said = `${isGuess ? 'about ' : ''}${count(captions)} captions`;
  return `${count(images.train)} ${of} with ${said}, ${count(images.dev)} of dev`;
}

/** All stages together, on one machine and on more. */
function describeAll(
  stages: readonly RehearsedStage[],
  local: Omit<Exchange, 'bandwidth'>,
  wire: WireDtype = 'f32',
): string[] {
  const alone = secondsOfAll(stages);
  const rows = networks.map((gigabits) => [
    `${gigabits} Gbit/s`,
    ...machines.map((ranks) =>
      time(secondsOfAll(stages, ranks, { ...local, bandwidth: (gigabits * 1e9) / 8 })),
    ),
  ]);
  const isTooMany = secondsOfAll(stages, Math.max(...machines)) === Number.POSITIVE_INFINITY;
  return [
    `This machine: ${time(alone)}. With more of its kind, each with its own images of a step (so that steps are fewer and larger; gradients in ${wire}):`,
    ...alignedLines([['network', ...machines.map((ranks) => `${ranks} machines`)], ...rows]),
    ...(isTooMany
      ? ['-: fewer shards than machines, or fewer pictures than a step of theirs.']
      : []),
  ];
}

function count(value: number): string {
  return value.toLocaleString('en');
}

/** Seconds of a step. */
function short(seconds: number): string {
  return seconds >= 10 ? `${seconds.toFixed(1)} s` : `${Number(seconds.toPrecision(2))} s`;
}

function rate(seconds: number): string {
  if (seconds === 0) return 'too few to tell their speed';
  return seconds > 1 ? `${short(seconds)} each` : `${(1 / seconds).toFixed(0)} a second`;
}

function time(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY) return '-';
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 3600) return `${(seconds / 60).toFixed(1)} min`;
  if (seconds < 48 * 3600) return `${(seconds / 3600).toFixed(1)} h`;
  return `${(seconds / 86400).toFixed(1)} days`;
}

function size(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
