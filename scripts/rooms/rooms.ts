/** The rooms of src/, low to high: what each holds, and which other rooms its files may import. */

export interface Room {
  /** What is in it, as docs/architecture.md says. */
  readonly holds: string;
  /** Rooms that it may import, besides itself. */
  readonly uses: readonly RoomName[];
  /**
   * Whether it runs in a browser: the whole room, or what its browser.ts gathers. Absent: it needs Node.
   */
  readonly browser?: 'whole' | 'part';
}

export type RoomName =
  | 'base'
  | 'engine'
  | 'weights'
  | 'nn'
  | 'metrics'
  | 'confidence'
  | 'hub'
  | 'metadata'
  | 'data'
  | 'pages'
  | 'model'
  | 'generation'
  | 'caption'
  | 'alt'
  | 'explain'
  | 'video'
  | 'score'
  | 'train'
  | 'evaluate'
  | 'export'
  | 'compare'
  | 'ablate'
  | 'browser'
  | 'notebook'
  | 'server'
  | 'scale'
  | 'review'
  | 'cli';

export const rooms: Readonly<Record<RoomName, Room>> = {
  base: {
    holds:
      'errors for people, atomic files and folders, locks, seeded random numbers, 16-bit floats, the version',
    uses: [],
  },
  engine: {
    holds:
      '`graph/` (shapes, ops, rule tables, gradients, simplifying), `onnx/` (encoding), `runtime/` (sessions; back ends for Node and browsers). `runtime/` alone imports onnxruntime',
    uses: ['base'],
    browser: 'whole',
  },
  weights: {
    holds:
      'safetensors and torch files, read lazily and written whole; one table of number formats',
    uses: ['base'],
    browser: 'part',
  },
  nn: {
    holds: 'layers, losses, dropout, optimizers, schedules, the parameter store and its updater',
    uses: ['base', 'engine'],
    browser: 'whole',
  },
  metrics: {
    holds:
      'BLEU, METEOR, ROUGE, CIDEr, diversity, the caption tokenizer, significance: pure functions on strings',
    uses: ['base'],
    browser: 'whole',
  },
  confidence: {
    holds:
      'how likely a caption names the right thing: its main noun, the evidence, a calibrated map, how true it is: pure functions',
    uses: ['base', 'metrics'],
    browser: 'whole',
  },
  hub: {
    holds:
      'model names to folders: paths, bundled models, downloads into the cache shared with Python',
    uses: ['base', 'weights'],
  },
  metadata: {
    holds: "captions in pictures' metadata: XMP packets, the files that they are in, IPTC",
    uses: ['base'],
  },
  data: {
    holds:
      '`images/`, `films/` (frames with their times, by ffmpeg or `node-av/`; `kernel/`: what is computed of each, in WebAssembly), `text/`, `captions/` (caption files), `shards/` (tars, zips, Parquet tables; in stores, too), `datasets/` and `pack/`',
    uses: ['base', 'metrics', 'metadata'],
    browser: 'part',
  },
  pages: {
    holds: 'HTML pages, each one file: their frame, charts, and what each shows',
    uses: ['base', 'confidence'],
  },
  model: {
    holds:
      'config, `towers/` (a table of vision towers), the decoder, `refiner/`, `checkpoint/` (names, loading, saving, converting)',
    uses: ['base', 'engine', 'weights', 'nn', 'confidence', 'hub', 'data'],
    browser: 'part',
  },
  generation: {
    holds:
      'from images to ids: options, logits, selection, beams, sessions, members, 8-bit weights',
    uses: ['base', 'engine', 'weights', 'nn', 'model'],
    browser: 'whole',
  },
  caption: {
    holds:
      'pictures in, captions out: the captioner, `sources/` of pictures, `output/` formats, a run over many',
    uses: [
      ...(['base', 'engine', 'weights', 'confidence', 'hub', 'metadata', 'data'] as const),
      ...(['model', 'generation'] as const),
    ],
  },
  explain: {
    holds:
      'why each word: gradient graphs, `methods/` (a table), maps over the picture and how much a word depends on it; `evaluate/` measures how true they are',
    uses: [
      'base',
      'engine',
      'metrics',
      'confidence',
      'data',
      'model',
      'generation',
      'nn',
      'caption',
    ],
  },
  video: {
    holds:
      'films in, scenes with captions out: `scenes/`, `captions/`, `output/` (subtitles and tables)',
    uses: ['base', 'metrics', 'confidence', 'data', 'caption'],
  },
  alt: {
    holds:
      "alt texts of a site's pictures: `pages/` (where one is missing), `pictures/` (files, drafts, their cache), `report/`",
    uses: ['base', 'confidence', 'data', 'caption'],
    browser: 'part',
  },
  score: {
    holds: 'caption files against references: matching, workers, reports',
    uses: ['base', 'metrics', 'data'],
  },
  train: {
    holds:
      '`config/`, `features/` (their cache), `objective/` (graphs), `loop/`, `stream/` (steps from shards), `distributed/` (several processes), `checkpoint/`, `recipe/` (several stages)',
    uses: [
      ...(['base', 'engine', 'weights', 'nn', 'metrics', 'hub', 'data', 'pages'] as const),
      ...(['model', 'generation', 'score', 'confidence'] as const),
    ],
  },
  evaluate: {
    holds:
      "a model's captions, scores and speed on a split; `calibrate/` fits its confidence to several",
    uses: [
      ...(['base', 'metrics', 'confidence', 'hub', 'data', 'model', 'caption', 'score'] as const),
    ],
  },
  export: {
    holds: 'ONNX files for other programs: `layouts.ts` is a table of them',
    uses: [
      ...(['base', 'engine', 'weights', 'nn', 'metrics', 'hub', 'data', 'model'] as const),
      ...(['generation', 'caption'] as const),
    ],
  },
  compare: {
    holds: 'two evaluations, picture by picture',
    uses: ['base', 'metrics', 'score', 'evaluate'],
  },
  ablate: {
    holds: 'one experiment with parts left out: runs, statistics, tables',
    uses: ['base', 'metrics', 'hub', 'data', 'model', 'caption', 'score', 'train', 'evaluate'],
  },
  browser: {
    holds:
      "`refcap/web`: a captioner in a page. The page's side; `worker/` (decoding, opening, running), `download/` (fetching and keeping a model)",
    uses: [
      ...(['base', 'engine', 'weights', 'data', 'model', 'generation', 'caption'] as const),
      ...(['explain', 'alt'] as const),
    ],
    browser: 'whole',
  },
  notebook: {
    holds: "what a notebook's cells show: tables with pictures, curves, words over a picture",
    uses: ['base', 'data', 'pages', 'train', 'explain'],
  },
  server: {
    holds:
      'HTTP: a function from Request to Response; `batching/` of pictures across requests, and a folder for each interface that clients speak',
    uses: ['base', 'confidence', 'hub', 'pages', 'model', 'caption', 'explain'],
  },
  scale: {
    holds:
      'many machines: the shards of a task, a `queue/` of shards on Redis, objects that are whole or not there, settings that all agree on',
    uses: ['base', 'data', 'caption'],
  },
  review: {
    holds:
      "a person's word on captions: `sources/` of drafts, `decisions/` (journals, merging), `views/` (order, filters, pictures that look alike), `server/` of the page",
    uses: ['base', 'metrics', 'metadata', 'data', 'caption', 'server'],
  },
  cli: {
    holds:
      'a file or folder a command; in a folder `command.ts` has the options, and is all that `--help` loads, `run.ts` does the work; shared `options/`, `terminal/`',
    uses: [
      ...(['base', 'metrics', 'confidence', 'hub', 'metadata', 'data', 'pages'] as const),
      ...(['model', 'generation'] as const),
      ...([
        'caption',
        'explain',
        'alt',
        'video',
        'score',
        'train',
        'evaluate',
        'compare',
        'ablate',
      ] as const),
      ...(['export', 'server', 'scale', 'review'] as const),
    ],
  },
};

/** npm packages that run in a browser, which the browser-safe part may use. */
export const browserPackages: readonly string[] = [
  '@huggingface/tokenizers',
  'onnxruntime-web',
  'zod',
];

/** Names that hold types alone, from packages of @types: nothing of them is left when the program runs. */
export const typePackages: readonly string[] = ['mdast', 'sarif'];
