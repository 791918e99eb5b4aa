/** Captions of pictures that were captioned before, by the content of picture and model and the settings. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import * as z from 'zod';
import { readTextIfThere, writing } from '../../base/files.ts';
import { filesBelow } from '../../base/folders.ts';

/** A caption that nobody has looked at. */
export interface Draft {
  readonly caption: string;
  /** As `confidenceOf` has it, from 0 to 1. */
  readonly confidence: number;
}

const row = z.object({ picture: z.string(), caption: z.string(), confidence: z.number() });

/** Drafts of one model with one set of settings, a line each in a file that only grows. */
export class DraftCache {
  readonly #path: string;
  readonly #drafts: Map<string, Draft>;
  /** Ends a line that a kill left open. */
  #joint: string;

  private constructor(path: string, drafts: Map<string, Draft>, joint: string) {
    this.#path = path;
    this.#drafts = drafts;
    this.#joint = joint;
  }

  /** @param key as `cacheKey` makes it; @throws InputError when the folder cannot be written */
  static async open(folder: string, key: string): Promise<DraftCache> {
    await writing(folder, () => mkdir(folder, { recursive: true }));
    const path = join(folder, `${key}.jsonl`);
    const text = (await readTextIfThere(path)) ?? '';
    const drafts = new Map<string, Draft>();
    for (const line of text.split('\n')) {
      const found = parseRow(line);
      if (!found) continue;
      const { picture, ...draft } = found;
      drafts.set(picture, draft);
    }
    return new DraftCache(path, drafts, text === '' || text.endsWith('\n') ? '' : '\n');
  }

  /** @param picture the hash of its file */
  get(picture: string): Draft | undefined {
    return this.#drafts.get(picture);
  }

  /** @throws InputError when the disk is full */
  async add(drafts: ReadonlyMap<string, Draft>): Promise<void> {
    const lines = [...drafts].map(
      ([picture, { caption, confidence }]) =>
        `${JSON.stringify({ picture, caption, confidence })}\n`,
    );
    await writing(this.#path, () => appendFile(this.#path, this.#joint + lines.join('')));
    this.#joint = '';
    for (const [picture, draft] of drafts) this.#drafts.set(picture, draft);
  }
}

/** Undefined for a line that was cut off. */
function parseRow(line: string): z.infer<typeof row> | undefined {
  try {
    return row.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Where drafts are kept when nobody says where: the user's cache. */
export function defaultCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'refcap', 'alt');
}

/** The SHA-256 of a file. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * What drafts depend on beside the picture, as a file name.
 * @param model a model's folder or file, all of whose bytes count
 * @param settings what else changes captions, as JSON
 */
export async function cacheKey(model: string, settings: unknown): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const file of await filesOf(model))
    hash.update(`\n${relative(model, file)}\n${await hashFile(file)}`);
  return hash.digest('hex').slice(0, 32);
}

async function filesOf(path: string): Promise<string[]> {
  return (await stat(path)).isDirectory() ? filesBelow(path) : [path];
}
