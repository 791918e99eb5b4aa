/** Threads of WebAssembly where none are asked for: one in a page that is not cross-origin isolated, as threads share memory. */
export function defaultThreads(): number {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;
}
