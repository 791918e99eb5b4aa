/** What a run's page is made of: config.json and metrics.jsonl, read as far as they go. */
import { join } from 'node:path';
import * as z from 'zod';
import { readJsonFile, readTextIfThere } from '../../base/files.ts';

// Not-a-number is null in JSON.
const value = z.number().nullish();

const stepSchema = z.object({
  step: z.number(),
  totalSteps: value,
  epoch: value,
  loss: value,
  terms: z.record(z.string(), value).optional(),
  gradientNorm: value,
  learningRate: value,
  imagesPerSecond: value,
  waiting: value,
});

const skippedSchema = z.object({ step: z.number() });

const validationSchema = z.object({
  step: z.number(),
  epoch: z.number(),
  best: z.boolean().default(false),
  seconds: value,
  losses: z.record(z.string(), value).default({}),
  metrics: z.record(z.string(), value).default({}),
  samples: z.array(z.object({ file: z.string(), caption: z.string() })).default([]),
});

const kindSchema = z.object({ kind: z.string() });

export type StepLine = z.infer<typeof stepSchema>;
export type ValidationLine = z.infer<typeof validationSchema>;

/** A run as its folder tells it. */
export interface RunRecord {
  /** config.json, whatever its fields. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly steps: readonly StepLine[];
  /** Steps without a finite loss or gradient. */
  readonly skipped: readonly number[];
  readonly validations: readonly ValidationLine[];
  /** Whole lines of metrics.jsonl that could not be understood. */
  readonly unreadable: number;
}

/**
 * Reads the two files; metrics.jsonl may be missing, and end in the middle of a line.
 * @throws InputError when config.json is missing or is not a JSON object
 */
export async function readRunRecord(folder: string): Promise<RunRecord> {
  const config = z
    .record(z.string(), z.unknown())
    .safeParse(await readJsonFile(join(folder, 'config.json')));
  const text = (await readTextIfThere(join(folder, 'metrics.jsonl'))) ?? '';
  return { config: config.success ? config.data : {}, ...parseMetrics(text) };
}

/** The lines of metrics.jsonl. Unknown fields and kinds of line are left aside. */
export function parseMetrics(text: string): Omit<RunRecord, 'config'> {
  const steps: StepLine[] = [];
  const skipped: number[] = [];
  const validations: ValidationLine[] = [];
  let unreadable = 0;
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    try {
      const data: unknown = JSON.parse(line);
      const { kind } = kindSchema.parse(data);
      if (kind === 'step') steps.push(stepSchema.parse(data));
      else if (kind === 'skipped') skipped.push(skippedSchema.parse(data).step);
      else if (kind === 'validation') validations.push(validationSchema.parse(data));
    } catch {
      // A last line without its line break is being written at this moment.
      if (i < lines.length - 1) unreadable += 1;
    }
  }
  return { steps, skipped, validations, unreadable };
}

/** A field of the configuration by its path, if it is there. */
export function field(config: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) => (isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined),
    config,
  );
}

/** Every plain value below `value` with its dotted name; lists as JSON, lists of objects by their length. */
export function flatten(value: unknown, name = ''): [name: string, value: string][] {
  if (Array.isArray(value))
    return [[name, value.some(isRecord) ? `${value.length} entries` : JSON.stringify(value)]];
  if (!isRecord(value)) return [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flatten(inner, name === '' ? key : `${name}.${key}`),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
