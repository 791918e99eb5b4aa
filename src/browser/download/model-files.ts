/** A model's folder behind an address: its manifest, and each of its files when it is asked for. */
import { InputError } from '../../base/errors.ts';
import type { TextFiles } from '../../base/text-files.ts';
import {
  type Manifest,
  manifestMembers,
  manifestName,
  parseManifest,
} from '../../model/checkpoint/manifest.ts';
import { download, hashOf } from './download.ts';
import { FileStore } from './store.ts';

/** How far the files are. */
export interface LoadProgress {
  /** Bytes that are here. */
  readonly loaded: number;
  /** Bytes of all files that the model needs. */
  readonly total: number;
}

export interface ModelFilesOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LoadProgress) => void;
  /** How many members write together. Default all. */
  readonly members?: number | undefined;
}

const weightsName = 'model.safetensors';

export class ModelFiles {
  readonly manifest: Manifest;
  /** Folders of the model and its members that write together, from its own, with the slash. */
  readonly members: readonly string[];
  readonly #base: string;
  readonly #store: FileStore;
  readonly #options: ModelFilesOptions;
  readonly #total: number;
  #loaded = 0;

  private constructor(
    base: string,
    store: FileStore,
    manifest: Manifest,
    options: ModelFilesOptions,
  ) {
    this.#base = base;
    this.#store = store;
    this.#options = options;
    this.manifest = manifest;
    this.members = chosenMembers(manifest, base, options.members);
    this.#total = this.members.reduce(
      (sum, folder) => sum + (manifest.files[folder + weightsName]?.bytes ?? 0),
      0,
    );
  }

  /**
   * Fetches what says which files there are; a kept copy of it does where there is no network.
   * @param base the folder's address, with the slash
   * @throws InputError naming what is missing or wrong; the signal's reason when aborted
   */
  static async open(base: string, options: ModelFilesOptions): Promise<ModelFiles> {
    if (!globalThis.isSecureContext)
      throw new InputError(
        'this page came neither by https nor from localhost, so the browser has no hashes and no cache for it; serve it by https.',
      );
    const store = await FileStore.open();
    const url = base + manifestName;
    const known = await store.text(url);
    const text = await fetchManifest(url, known, options.signal);
    const manifest = parseManifest(text, url);
    if (text !== known) {
      if (known !== undefined) await forgetOthers(store, known, manifest);
      await store.keepText(url, text);
    }
    return new ModelFiles(base, store, manifest, options);
  }

  /** The text files of a member. */
  texts(member: string): TextFiles {
    const pathOf = (name: string): string => this.#base + member + name;
    return {
      place: this.#base + member,
      pathOf,
      read: async (name) => {
        if (!(member + name in this.manifest.files)) return undefined;
        return new TextDecoder().decode(await this.#fetch(member + name, () => undefined));
      },
    };
  }

  /** How messages name a member's weights. */
  weightsPath(member: string): string {
    return this.#base + member + weightsName;
  }

  /** The bytes of a member's weights. */
  weights(member: string): Promise<Uint8Array> {
    const { onProgress } = this.#options;
    return this.#fetch(member + weightsName, (bytes) => {
      this.#loaded += bytes;
      onProgress({ loaded: this.#loaded, total: this.#total });
    });
  }

  /** Whether this model's self-test was passed before. @param where the device and the program that it runs on */
  async hasPassed(where: string): Promise<boolean> {
    return (await this.#store.text(this.#testName(where))) === (await this.#manifestHash());
  }

  /** Keeps that the self-test was passed; of the model that was at this address before it is forgotten. */
  async keepPassed(where: string): Promise<void> {
    await this.#store.keepText(this.#testName(where), await this.#manifestHash());
  }

  #testName(where: string): string {
    return `self-test of ${this.#base} by ${where}`;
  }

  /** Another for other files, and for other numbers that are expected of them. */
  #manifestHash(): Promise<string> {
    return hashOf(new TextEncoder().encode(JSON.stringify(this.manifest)));
  }

  async #fetch(name: string, onBytes: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.manifest.files[name];
    if (!file) throw new InputError(`${this.#base}${manifestName} has no ${name}.`);
    const { signal } = this.#options;
    return download(this.#base + name, file, { store: this.#store, signal, onBytes });
  }
}

function chosenMembers(manifest: Manifest, base: string, wanted: number | undefined): string[] {
  const all = manifestMembers(manifest);
  const count = wanted ?? all.length;
  if (!Number.isInteger(count) || count < 1 || count > all.length)
    throw new InputError(
      `members (${count}): ${base} has ${all.length === 1 ? 'one' : `${all.length}, so 1 to ${all.length} can write together`}.`,
    );
  return all.slice(0, count);
}

async function fetchManifest(
  url: string,
  known: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const response = await fetch(url, { signal, cache: 'no-cache' }).catch((error: unknown) => {
    signal.throwIfAborted();
    if (known !== undefined) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${url}: it cannot be fetched (${reason}).`);
  });
  if (!response) return known ?? '';
  if (response.ok) return response.text();
  // A server that is there and fails, as proxies say it.
  if (response.status >= 500 && known !== undefined) return known;
  throw new InputError(
    `${url}: the server answers ${response.status}; give the address of a folder that \`refcap export MODEL FOLDER --layout web\` wrote.`,
  );
}

/** Takes out of the store what the model had and has no more. @param before its manifest then, of whatever format */
async function forgetOthers(store: FileStore, before: string, { files }: Manifest): Promise<void> {
  const kept = new Set(Object.values(files).map(({ sha256 }) => sha256));
  for (const [sha256] of before.matchAll(/\b[0-9a-f]{64}\b/g))
    if (!kept.has(sha256)) await store.forget(sha256);
}
