/** Where a page computes. Apart from the rest, as the worker's own script is small. */

/** WebAssembly, or the graphics processor. */
export type WebDevice = 'wasm' | 'webgpu';

/** As the engine calls it. */
export function deviceName(device: WebDevice): string {
  return device === 'wasm' ? 'cpu' : device;
}

/** Threads of WebAssembly where none are asked for: one in a page that is not cross-origin isolated, as threads share memory. */
export function defaultThreads(): number {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;
}
