/** How commands find and load a model: options that they share; downloads are told of on the standard error. */
import { Option } from '@commander-js/extra-typings';
import type { ResolveOptions } from '../../hub/resolve.ts';

export interface HubFlags {
  readonly revision?: string;
  readonly offline?: true;
  readonly base?: string;
  readonly quiet?: true;
}

/** `--revision`. */
export function revisionOption() {
  return new Option('--revision <name>', 'branch, tag or commit of a hub model');
}

/** `--offline`. */
export function offlineOption() {
  return new Option('--offline', 'use only models that are here already');
}

/** `--base`, for models that are adapters. */
export function baseOption() {
  return new Option(
    '--base <model>',
    "the model that a LoRA adapter is of, when not its own config's",
  );
}

/** `--verbose`, which the `refcap` command itself heeds when it prints an error. */
export function verboseOption() {
  return new Option('--verbose', 'list all that is wrong with a model, not the first few');
}

/** Milliseconds between two lines about a download. */
const interval = 2000;

export function hubOptions(
  { revision, offline, base, quiet }: HubFlags,
  signal: AbortSignal,
): ResolveOptions {
  let announced = 0;
  return {
    revision,
    offline,
    base,
    signal,
    onWarning: (message) => console.error(`refcap: ${message}`),
    onProgress: ({ id, file, fileNumber, files, received, size }) => {
      const now = performance.now();
      if (quiet || now - announced < interval) return;
      announced = now;
      const percent = Math.floor((100 * received) / Math.max(1, size));
      console.error(`downloading ${id}: ${file} (${fileNumber} of ${files}), ${percent} %`);
    },
  };
}
