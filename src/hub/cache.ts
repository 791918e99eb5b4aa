/**
 * The cache folder that Python's huggingface_hub uses too: models--OWNER--NAME/{blobs,refs,snapshots},
 * where snapshots/COMMIT/FILE links to blobs/ETAG and refs/REVISION holds a commit.
 */
import { copyFile, link, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { readTextIfThere, writeFileAtomic } from '../base/files.ts';
import { readIndex } from '../weights/open.ts';
import { contentsOf } from './contents.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The hub's settings, from the variables that huggingface_hub reads. */
export interface HubSettings {
  readonly endpoint: string;
  readonly cacheFolder: string;
  readonly offline: boolean;
  readonly token: string | undefined;
}

/** A model on the hub at a revision. */
export interface HubModel {
  readonly id: string;
  readonly revision: string;
}

const commitPattern = /^[0-9a-f]{40}$/;

/** Whether a revision is a full commit hash, whose files never change. */
export function isCommit(revision: string): boolean {
  return commitPattern.test(revision);
}

/**
 * Reads HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE, HF_TOKEN, HF_TOKEN_PATH and their older
 * forms; the token else from the file that `hf auth login` writes.
 */
export async function readSettings(env: Environment): Promise<HubSettings> {
  const home = expand(
    env.HF_HOME ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface'),
  );
  const cache = env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE ?? join(home, 'hub');
  return {
    endpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    cacheFolder: expand(cache),
    offline: isOn(env.HF_HUB_OFFLINE) || isOn(env.TRANSFORMERS_OFFLINE),
    token: isOn(env.HF_HUB_DISABLE_IMPLICIT_TOKEN) ? undefined : await readToken(env, home),
  };
}

async function readToken(env: Environment, home: string): Promise<string | undefined> {
  const given = (env.HF_TOKEN ?? env.HUGGING_FACE_HUB_TOKEN)?.trim();
  if (given) return given;
  const path = expand(env.HF_TOKEN_PATH ?? join(home, 'token'));
  const stored = await readFile(path, 'utf8').catch(() => '');
  return stored.trim() || undefined;
}

function isOn(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes(value?.toUpperCase() ?? '');
}

function expand(path: string): string {
  return path.startsWith('~') ? join(homedir(), path.slice(1)) : path;
}

/** The model's folder in the cache. */
export function modelFolder(cacheFolder: string, id: string): string {
  return join(cacheFolder, `models--${id.replaceAll('/', '--')}`);
}

export interface CachedModel {
  readonly path: string;
  readonly commit: string;
  /** Whether the tokenizer and the image settings are there too, and not only config and weights. */
  readonly whole: boolean;
}

/** A copy of the model in the cache that has its config and all its weights. */
export async function findCached(
  cacheFolder: string,
  { id, revision }: HubModel,
): Promise<CachedModel | undefined> {
  const folder = modelFolder(cacheFolder, id);
  const commit = isCommit(revision)
    ? revision
    : (await readFile(join(folder, 'refs', revision), 'utf8').catch(() => '')).trim();
  if (!isCommit(commit)) return undefined;
  const path = join(folder, 'snapshots', commit);
  const names = new Set<string>();
  // stat follows the link: one that leads nowhere is no file.
  for (const name of await readdir(path).catch(() => []))
    if (await exists(join(path, name))) names.add(name);
  const { config, weights, small } = contentsOf((name) => names.has(name));
  if (!names.has(config) || !weights) return undefined;
  if (weights.endsWith('.index.json')) {
    const shards = await readIndex(join(path, weights)).catch(() => undefined);
    if (!shards || ![...shards.values()].every((shard) => names.has(shard))) return undefined;
  }
  const hasTokenizer = names.has('tokenizer.json') || names.has('vocab.txt');
  const hasProcessor = names.has('processor_config.json') || names.has('preprocessor_config.json');
  // An adapter takes these from its base.
  return { path, commit, whole: small.length === 0 || (hasTokenizer && hasProcessor) };
}

/** Whether there is a file, of `size` bytes if that is given. */
export async function exists(path: string, size?: number): Promise<boolean> {
  try {
    const found = await stat(path);
    return size === undefined || found.size === size;
  } catch {
    return false;
  }
}

/** Makes snapshots/COMMIT/FILE lead to a blob: by a relative link, or a copy where links are not allowed. */
export async function linkSnapshot(blob: string, snapshotFile: string): Promise<void> {
  await mkdir(dirname(snapshotFile), { recursive: true });
  await rm(snapshotFile, { force: true });
  try {
    await symlink(relative(dirname(snapshotFile), blob), snapshotFile);
  } catch {
    await link(blob, snapshotFile).catch(() => copyFile(blob, snapshotFile));
  }
}

/** Notes which commit a branch or tag was at. */
export async function writeRef(folder: string, revision: string, commit: string): Promise<void> {
  if (revision === commit) return;
  const path = join(folder, 'refs', revision);
  // A cache that is whole may be read-only.
  if ((await readTextIfThere(path))?.trim() === commit) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, commit);
}
