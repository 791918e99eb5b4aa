/** How commands find a model on a hub: told of on the standard error. */
import type { ResolveOptions } from '../../hub/resolve.ts';

export interface HubFlags {
  readonly revision?: string;
  readonly offline?: true;
  readonly quiet?: true;
}

/** Milliseconds between two lines about a download. */
const interval = 2000;

export function hubOptions(
  { revision, offline, quiet }: HubFlags,
  signal: AbortSignal,
): ResolveOptions {
  let announced = 0;
  return {
    revision,
    offline,
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
