/** Bringing a hub model into the cache: only the files a captioner needs, each once, pinned to one commit. */
import { join } from 'node:path';
import type { ListFileEntry } from '@huggingface/hub';
import { InputError } from '../base/errors.ts';
import { readIndex } from '../weights/open.ts';
import {
  exists,
  type HubModel,
  type HubSettings,
  isCommit,
  linkSnapshot,
  modelFolder,
  writeRef,
} from './cache.ts';
import { contentsOf } from './contents.ts';
import { describeNetworkError, describeResponse, HubError } from './errors.ts';
import { type TransferOptions, transferFile, withLock } from './transfer.ts';

/** How far a download is. */
export interface DownloadProgress {
  readonly id: string;
  /** The file that is being fetched, and its place among those to fetch. */
  readonly file: string;
  readonly fileNumber: number;
  readonly files: number;
  /** Bytes of this file that are there, and its size. */
  readonly received: number;
  readonly size: number;
}

export interface DownloadOptions extends Omit<TransferOptions, 'onBytes'> {
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/**
 * Fetches what is missing of a model, or of a LoRA adapter, and returns its folder in the cache.
 * @throws HubError, HubUnreachableError in one sentence.
 */
export async function downloadModel(
  model: HubModel,
  settings: HubSettings,
  options: DownloadOptions,
): Promise<{ path: string; commit: string }> {
  const repository = new Repository(model, settings, options);
  const commit = await repository.findCommit();
  const files = await repository.list(commit);
  const has = (name: string): boolean => files.has(name);
  const { config, weights, weightNames, small } = contentsOf(has);
  if (!has(config))
    throw new HubError(`${model.id} has no config.json: it is no model that can be loaded.`);
  if (!weights)
    throw new HubError(
      `${model.id} has no weights that can be read: none of ${weightNames.join(', ')}.`,
    );
  const folder = modelFolder(settings.cacheFolder, model.id);
  const path = join(folder, 'snapshots', commit);
  const wanted = [config, ...small.filter(has), weights];
  if (weights.endsWith('.index.json')) {
    await repository.fetchAll(commit, [weights], files);
    wanted.push(...(await shardsOf(join(path, weights), model.id, has)));
  }
  await repository.fetchAll(commit, wanted, files);
  await writeRef(folder, model.revision, commit);
  return { path, commit };
}

async function shardsOf(
  index: string,
  id: string,
  has: (name: string) => boolean,
): Promise<string[]> {
  const shards = [...new Set((await readIndex(index)).values())];
  const missing = shards.filter((shard) => !has(shard));
  if (missing.length === 0) return shards;
  throw new HubError(`${id}: its index names ${missing.slice(0, 3).join(', ')}, which it lacks.`);
}

class Repository {
  private readonly model: HubModel;
  private readonly settings: HubSettings;
  private readonly options: DownloadOptions;

  constructor(model: HubModel, settings: HubSettings, options: DownloadOptions) {
    this.model = model;
    this.settings = settings;
    this.options = options;
  }

  /** The commit that the revision is at now. */
  async findCommit(): Promise<string> {
    const { id, revision } = this.model;
    if (isCommit(revision)) return revision;
    const { modelInfo } = await import('@huggingface/hub');
    const { sha } = await this.ask(() =>
      modelInfo({ ...this.api(), name: id, revision, additionalFields: ['sha'] }),
    );
    if (typeof sha === 'string' && isCommit(sha)) return sha;
    throw new HubError(`${this.settings.endpoint} does not say at which commit ${id} is.`);
  }

  /** The files at the top of the repository, by name. */
  async list(commit: string): Promise<Map<string, ListFileEntry>> {
    const { listFiles } = await import('@huggingface/hub');
    const repo = { type: 'model', name: this.model.id } as const;
    return this.ask(async () => {
      const files = new Map<string, ListFileEntry>();
      for await (const entry of listFiles({ ...this.api(), repo, revision: commit }))
        if (entry.type === 'file') files.set(entry.path, entry);
      return files;
    });
  }

  async fetchAll(
    commit: string,
    names: readonly string[],
    files: ReadonlyMap<string, ListFileEntry>,
  ): Promise<void> {
    const { id } = this.model;
    const folder = modelFolder(this.settings.cacheFolder, id);
    for (const [i, name] of names.entries()) {
      const entry = files.get(name);
      if (!entry) throw new HubError(`${id} has no file ${name}.`);
      const hash = contentHash(id, entry);
      const blob = join(folder, 'blobs', hash);
      const snapshotFile = join(folder, 'snapshots', commit, name);
      const size = entry.lfs?.size ?? entry.size;
      if (await exists(snapshotFile, size)) continue;
      const lock = join(
        folder,
        '..',
        '.locks',
        `models--${id.replace('/', '--')}`,
        `${hash}.refcap`,
      );
      await withLock(lock, this.options.signal, async () => {
        if (!(await exists(blob, size)))
          await this.fetchFile(commit, name, { blob, hash, size, place: [i + 1, names.length] });
        await linkSnapshot(blob, snapshotFile);
      });
    }
  }

  private fetchFile(
    commit: string,
    file: string,
    to: { blob: string; hash: string; size: number; place: [number, number] },
  ): Promise<void> {
    const { id } = this.model;
    const { endpoint } = this.settings;
    const { blob, hash, size, place } = to;
    const [fileNumber, files] = place;
    return transferFile(
      {
        url: `${endpoint}/${id}/resolve/${commit}/${encodeURIComponent(file)}`,
        label: `${id}/${file}`,
        path: blob,
        size,
        hash,
        headers: this.headers(),
        refuse: (response) => this.refuse(response, file),
      },
      {
        ...this.options,
        onBytes: (received) =>
          this.options.onProgress?.({ id, file, fileNumber, files, received, size }),
      },
    );
  }

  private headers(): Record<string, string> {
    const { token } = this.settings;
    return token ? { authorization: `Bearer ${token}` } : {};
  }

  private refuse(response: { status: number; headers: Headers }, file?: string): HubError {
    const { id, revision } = this.model;
    const { endpoint, token } = this.settings;
    const hasToken = token !== undefined;
    return describeResponse(response, {
      id,
      revision,
      endpoint,
      hasToken,
      ...(file ? { file } : {}),
    });
  }

  /** What the hub library's calls share; our fetch adds the token, which it would insist begins with hf_. */
  private api(): { hubUrl: string; fetch: typeof fetch } {
    return {
      hubUrl: this.settings.endpoint,
      fetch: async (input, init) => {
        const headers = { ...Object.fromEntries(new Headers(init?.headers)), ...this.headers() };
        const timeout = AbortSignal.timeout(this.options.idleTimeout);
        const { signal } = this.options;
        const response = await this.options.fetch(input, {
          ...init,
          headers,
          signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        });
        if (!response.ok) throw this.refuse(response);
        return response;
      },
    };
  }

  private async ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      this.options.signal?.throwIfAborted();
      if (error instanceof InputError) throw error;
      if (error instanceof SyntaxError)
        throw new HubError(`${this.settings.endpoint} does not answer as a model hub does.`);
      throw describeNetworkError(this.settings.endpoint, error);
    }
  }
}

/** The name of the blob, which is its hash: SHA-256 for large files, git's SHA-1 for small ones. */
function contentHash(id: string, { path, oid, lfs }: ListFileEntry): string {
  const hash = lfs ? lfs.oid : oid;
  if (hash && (lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(hash)) return hash;
  throw new HubError(`${id}: the hub gives no checksum for ${path}.`);
}
