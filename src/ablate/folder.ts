/** An ablation's folder at the start: new, or to be gone on with under the same settings. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { InputError, UsageError } from '../base/errors.ts';
import { readTextIfThere, writeFileAtomic } from '../base/files.ts';
import { isDesktopFile } from '../base/folders.ts';
import { parseJson } from '../base/json.ts';
import { version } from '../base/version.ts';
import { imagesOfSplit } from '../data/datasets/dataset.ts';
import { readDataset } from '../data/datasets/read.ts';
import { stepSettings } from '../train/checkpoint/resume.ts';
import {
  describeDifference,
  differences,
  type SettingDifference,
  type Settings,
} from '../train/config/file.ts';
import type { AblationRequest } from './settings.ts';

const fileName = 'ablation-config.json';

const savedSchema = z.looseObject({
  data: z.looseObject({ fingerprint: z.string() }),
  start: z.record(z.string(), z.unknown()),
  split: z.string(),
  variants: z.record(z.string(), z.record(z.string(), z.unknown())),
});
type Saved = z.infer<typeof savedSchema>;

/** What a folder may hold before its first ablation. */
const harmless = new Set(['features', 'lock']);

/**
 * Checks that the folder is new or of an ablation with the same settings, and writes them. Variants and
 * seeds may come to those that are there.
 * @throws InputError when the folder holds something else or the data are missing; UsageError listing
 *   the settings that differ
 */
export async function openAblation(request: AblationRequest): Promise<void> {
  const { output, split, start, data } = request;
  const path = join(output, fileName);
  const now: Saved = {
    version: version(),
    data: { source: data, fingerprint: await dataFingerprint(request) },
    start: { ...start },
    split,
    variants: Object.fromEntries(
      [...request.variants].map(([name, config]) => [name, comparable(config)]),
    ),
  };
  const text = await readTextIfThere(path);
  if (text === undefined) await checkNew(output);
  // Settings under which no run began bind nobody: a mistake in the first call can be put right.
  const before = text !== undefined && (await hasRun(output)) ? readSaved(text, path) : undefined;
  if (before) checkSame(before, now, output);
  const all = { ...now, variants: { ...before?.variants, ...now.variants } };
  await writeFileAtomic(path, `${JSON.stringify(all, null, 2)}\n`);
}

/** Settings that change a result, but for the seed. */
function comparable(settings: Settings): Settings {
  const { seed: _seed, ...others } = stepSettings(settings);
  return others;
}

async function hasRun(output: string): Promise<boolean> {
  const names = await readdir(join(output, 'runs'), { recursive: true }).catch((): string[] => []);
  return names.some((name) => /^[^/\\]+[/\\]seed-\d+[/\\]config\.json$/.test(name));
}

async function checkNew(output: string): Promise<void> {
  const other = (await readdir(output)).find(
    (name) => !harmless.has(name) && !name.startsWith('.') && !isDesktopFile(name),
  );
  if (other !== undefined)
    throw new InputError(
      `${output}: the folder holds ${other} and is not an ablation's; choose another --output folder.`,
    );
}

function readSaved(text: string, path: string): Saved {
  const parsed = savedSchema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(
    `${path}: ${issue.path.join('.')}: ${issue.message}; it is not an ablation's.`,
  );
}

function checkSame(before: Saved, now: Saved, output: string): void {
  const shared = ({ data, start, split }: Saved) => ({ data: data.fingerprint, start, split });
  const found = differences(shared(before), shared(now)).map(describeDifference);
  // Variants that came or went are no change of those that were run.
  const ofBoth = Object.keys(now.variants).filter((name) => before.variants[name] !== undefined);
  const variantsOf = new Map<string, { difference: SettingDifference; names: string[] }>();
  for (const name of ofBoth)
    for (const difference of differences(comparable(before.variants[name]), now.variants[name])) {
      const sentence = describeDifference(difference);
      const known = variantsOf.get(sentence);
      if (known) known.names.push(name);
      else variantsOf.set(sentence, { difference, names: [name] });
    }
  for (const { difference, names } of variantsOf.values()) {
    const of = names.length === ofBoth.length ? '' : ` (${names.join(', ')})`;
    found.push(describeDifference({ ...difference, path: `${difference.path}${of}` }));
  }
  if (found.length > 0)
    throw new UsageError(
      `${output}: the ablation was made otherwise: ${found.join('; ')}. Use the same settings, or another --output folder.`,
    );
}

/** Tells the data apart; finds out before hours of training whether there is something to measure. */
async function dataFingerprint({ data, reading, split }: AblationRequest): Promise<string> {
  const dataset = await readDataset(data, reading);
  for (const name of new Set(['train', 'dev', split] as const))
    if (!imagesOfSplit(dataset, name).some(({ captions }) => captions.length > 0))
      throw new InputError(`${data}: the ${name} split has no image with a caption.`);
  const hash = createHash('sha256');
  for (const { id, split: of, captions } of dataset.images)
    hash.update(JSON.stringify([of, id, captions]));
  return hash.digest('hex');
}
