/** The list of subcommands: what --help shows, and how each is loaded. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';

export interface LazyCommand {
  name: string;
  summary: string;
  load(): Promise<{ command: CommandUnknownOpts }>;
}

export const commands: LazyCommand[] = [
  {
    name: 'demo',
    summary: 'caption the photos that ship with refcap, and make a page of them',
    load: () => import('./demo/command.ts'),
  },
  {
    name: 'caption',
    summary: 'caption pictures',
    load: () => import('./caption/command.ts'),
  },
  {
    name: 'queue',
    summary: 'caption shards that wait in a queue on Redis',
    load: () => import('./queue/command.ts'),
  },
  {
    name: 'metadata',
    summary: "captions in pictures' metadata: take out what refcap wrote",
    load: () => import('./metadata/command.ts'),
  },
  {
    name: 'serve',
    summary: 'answer requests for captions over HTTP',
    load: () => import('./serve/command.ts'),
  },
  {
    name: 'review',
    summary: 'look through captions before they count',
    load: () => import('./review/command.ts'),
  },
  {
    name: 'alt',
    summary: "find and fill a site's missing alt texts",
    load: () => import('./alt/command.ts'),
  },
  {
    name: 'video',
    summary: 'caption films: scenes, subtitles, chapters',
    load: () => import('./video/command.ts'),
  },
  {
    name: 'explain',
    summary: 'show why each word of a caption is written, and measure how true that is',
    load: () => import('./explain/command.ts'),
  },
  {
    name: 'train',
    summary: 'train a captioner on pictures with captions',
    load: () => import('./train/command.ts'),
  },
  {
    name: 'data',
    summary: 'look through a dataset of pictures with captions, or pack it into shards',
    load: () => import('./data.ts'),
  },
  {
    name: 'evaluate',
    summary: 'measure a model on a dataset: captions, all metrics, speed',
    load: () => import('./evaluate/command.ts'),
  },
  {
    name: 'calibrate',
    summary: "fit a model's confidence to pictures with captions",
    load: () => import('./calibrate/command.ts'),
  },
  {
    name: 'compare',
    summary: 'compare two evaluations: differences with intervals, and a page with pictures',
    load: () => import('./compare/command.ts'),
  },
  {
    name: 'ablate',
    summary: 'train with and without the training-only layers, over seeds, and compare',
    load: () => import('./ablate/command.ts'),
  },
  {
    name: 'convert',
    summary: 'save any checkpoint in the layout of transformers',
    load: () => import('./convert/command.ts'),
  },
  {
    name: 'export',
    summary: 'write a model as ONNX files for other programs',
    load: () => import('./export/command.ts'),
  },
  {
    name: 'score',
    summary: 'score captions against references: BLEU, METEOR, ROUGE, CIDEr, diversity',
    load: () => import('./score.ts'),
  },
];
