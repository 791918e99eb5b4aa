/** Many listeners of one signal, which Node would warn of, as one. */

const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `listener` when the signal is aborted. @returns what takes the listener away */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const all = listeners.get(signal) ?? new Set();
  const callAll = (): void => {
    for (const one of all) one();
  };
  if (!listeners.has(signal)) {
    listeners.set(signal, all);
    signal.addEventListener('abort', callAll, { once: true });
  }
  all.add(listener);
  return () => void all.delete(listener);
}
