/** Reads the folder that `refcap evaluate` leaves. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../base/errors.ts';
import { readJsonFile, readTextIfThere } from '../base/files.ts';

const numbers = z.record(z.string(), z.number());

const resultsJson = z.looseObject({
  model: z.looseObject({ name: z.string(), fingerprint: z.string() }),
  data: z.looseObject({
    source: z.string(),
    split: z.string(),
    images: z.int().positive(),
    fingerprint: z.string(),
  }),
  metrics: numbers,
  decoding: z.record(z.string(), z.unknown()),
});

const captionLine = z.looseObject({
  file: z.string().min(1),
  path: z.string(),
  caption: z.string(),
  references: z.array(z.string()).nonempty(),
  scores: numbers,
});

/** A picture of an evaluation. */
export type EvaluatedCaption = z.infer<typeof captionLine>;

/** An evaluation, as far as others use it. */
export interface EvaluationFolder {
  readonly folder: string;
  readonly results: z.infer<typeof resultsJson>;
  readonly captions: readonly EvaluatedCaption[];
}

/** @throws InputError naming the folder, file, line or field that is missing or wrong */
export async function readEvaluation(folder: string): Promise<EvaluationFolder> {
  const names = await readdir(folder).catch((): string[] | undefined => undefined);
  if (!names) throw new InputError(`${folder}: there is no such folder.`);
  if (!names.includes('results.json')) throw new InputError(notAnEvaluation(folder, names));
  const path = join(folder, 'results.json');
  const results = resultsJson.safeParse(await readJsonFile(path));
  if (!results.success) {
    const [issue] = results.error.issues;
    throw new InputError(
      `${path}: ${issue.path.join('.') || 'the file'} is not what refcap evaluate writes (${issue.message}).`,
    );
  }
  const captions = await readCaptions(join(folder, 'captions.jsonl'));
  if (captions.length !== results.data.data.images)
    throw new InputError(
      `${folder}: captions.jsonl has ${captions.length} pictures and results.json speaks of ${results.data.data.images}; run refcap evaluate again with --overwrite.`,
    );
  return { folder, results: results.data, captions };
}

function notAnEvaluation(folder: string, names: readonly string[]): string {
  if (names.includes('metrics.jsonl') || names.includes('checkpoints')) {
    const isSaved = names.includes('best');
    return `${folder}: this is a training run, not an evaluation; ${isSaved ? `run refcap evaluate ${join(folder, 'best')} first` : 'it was interrupted before it saved a model, so go on with refcap train --resume'}.`;
  }
  return `${folder}: there is no results.json, so the evaluation was interrupted or this is another folder; run refcap evaluate again.`;
}

async function readCaptions(path: string): Promise<EvaluatedCaption[]> {
  const text = await readTextIfThere(path);
  if (text === undefined) throw new InputError(`${path}: the file is missing.`);
  const captions = text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    return [captionOf(line, `${path}, line ${i + 1}`)];
  });
  const seen = new Set<string>();
  for (const { file } of captions) {
    if (seen.has(file)) throw new InputError(`${path}: ${file} comes twice.`);
    seen.add(file);
  }
  return captions;
}

function captionOf(line: string, place: string): EvaluatedCaption {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new InputError(`${place}: not JSON; the file is cut off or was changed.`);
  }
  const caption = captionLine.safeParse(json);
  if (caption.success) return caption.data;
  const [issue] = caption.error.issues;
  throw new InputError(`${place}: ${issue.path.join('.') || 'the line'}: ${issue.message}.`);
}
