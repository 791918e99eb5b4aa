/** From what a user calls a model to the folder or file that holds it: a path, a bundled model, or a hub id. */
import { isThere } from '../base/files.ts';
import { bundledModels } from './bundled.ts';
import { type Environment, findCached, type HubModel, isCommit, readSettings } from './cache.ts';
import type { DownloadProgress } from './download.ts';
import { HubError, HubUnreachableError } from './errors.ts';

export interface ResolveOptions {
  /** Branch, tag or commit of a hub model; `owner/name@revision` says the same. Default: main. */
  revision?: string | undefined;
  /** The base model of an adapter, in place of the one that its adapter_config.json names. */
  base?: string | undefined;
  /** Uses the cache alone; default: HF_HUB_OFFLINE. */
  offline?: boolean | undefined;
  /** Default: HF_TOKEN, else the file that `hf auth login` writes. */
  token?: string | undefined;
  /** Default: HF_HUB_CACHE, else the `hub` folder in HF_HOME. */
  cacheFolder?: string | undefined;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Told when a cached copy is used because the hub cannot be reached. */
  onWarning?: ((message: string) => void) | undefined;
  signal?: AbortSignal | undefined;
  env?: Environment | undefined;
  fetch?: typeof fetch | undefined;
  /** Attempts in a row without a byte (default 5), and how long silence is borne (default 30000 ms). */
  retries?: number | undefined;
  idleTimeout?: number | undefined;
  retryDelay?: number | undefined;
  /** The folder of bundled models; default: the package's own. */
  bundledFolder?: string | undefined;
}

/** A model on this machine. */
export interface ResolvedModel {
  /** A model folder, or a single weight file. */
  readonly path: string;
  readonly source: 'path' | 'bundled' | 'hub';
  /** The name as given, without its revision. */
  readonly name: string;
  /** The commit of a hub model. */
  readonly commit?: string;
}

const hubId = /^([\w.-]{1,96}\/[\w.-]{1,96})(?:@(.+))?$/;

/**
 * Finds a model: an existing folder or file, then a bundled model's name, then a hub id, which is
 * downloaded into the cache shared with Python if it is not there yet.
 * @throws HubError naming what was tried; nothing half-downloaded is ever taken for whole.
 */
export async function resolveModel(
  nameOrPath: string,
  options: ResolveOptions = {},
): Promise<ResolvedModel> {
  if (await isThere(nameOrPath)) return { path: nameOrPath, source: 'path', name: nameOrPath };
  const bundled = await bundledModels(options.bundledFolder);
  const known = bundled.get(nameOrPath);
  if (known) return { path: known, source: 'bundled', name: nameOrPath };
  const model = parseHubId(nameOrPath, options.revision);
  if (model) return { ...(await resolveHub(model, options)), source: 'hub', name: model.id };
  const names = [...bundled.keys()].join(', ');
  throw new HubError(
    `There is no model ${JSON.stringify(nameOrPath)}: it is no folder or file here, no bundled model${names ? ` (${names})` : ''} and no hub id such as Salesforce/blip-image-captioning-base.`,
  );
}

/** `owner/name` or `owner/name@revision`; undefined when it cannot be a hub id. */
export function parseHubId(text: string, revision?: string): HubModel | undefined {
  const [, id, inline] = hubId.exec(text) ?? [];
  if (!id || /\.\.|--|^[.-]|\/[.-]|[.-]$|[.-]\/|\.git$/.test(id)) return undefined;
  const chosen = inline ?? revision ?? 'main';
  if (/^[\w.+/-]{1,200}$/.test(chosen) && !/\.\.|^[/.-]|\/$|\/\//.test(chosen))
    return { id, revision: chosen };
  throw new HubError(`${JSON.stringify(chosen)} is no name of a branch, tag or commit.`);
}

async function resolveHub(
  model: HubModel,
  options: ResolveOptions,
): Promise<{ path: string; commit: string }> {
  const defaults = await readSettings(options.env ?? process.env);
  const settings = {
    ...defaults,
    cacheFolder: options.cacheFolder ?? defaults.cacheFolder,
    token: options.token ?? defaults.token,
  };
  const found = await findCached(settings.cacheFolder, model);
  const cached = found && { path: found.path, commit: found.commit };
  if (options.offline ?? settings.offline) {
    if (cached) return cached;
    throw new HubError(
      `${model.id} at revision ${model.revision} is not complete in ${settings.cacheFolder}, and offline mode (--offline, HF_HUB_OFFLINE) forbids downloading: leave it, or give a folder.`,
    );
  }
  // A commit's files never change, so a whole copy needs no question.
  if (cached && found.whole && isCommit(model.revision)) return cached;
  // Loaded where something is downloaded alone: most models are there.
  const { environmentFetch } = await import('../base/proxy.ts');
  const { downloadModel } = await import('./download.ts');
  try {
    return await downloadModel(model, settings, {
      fetch: options.fetch ?? environmentFetch(options.env),
      signal: options.signal,
      onProgress: options.onProgress,
      retries: options.retries ?? 5,
      idleTimeout: options.idleTimeout ?? 30_000,
      retryDelay: options.retryDelay ?? 500,
    });
  } catch (error) {
    if (!cached || !(error instanceof HubUnreachableError)) throw error;
    options.onWarning?.(`${error.message} Using the copy in ${cached.path}.`);
    return cached;
  }
}
