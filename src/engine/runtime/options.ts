/** Where and how a graph runs. */

export interface SessionOptions {
  /**
   * An execution provider by ONNX Runtime's name: 'cpu' (in a browser, WebAssembly), 'webgpu', or another
   * that is installed. Default 'cpu'.
   */
  readonly device?: string;
  /** Threads of the CPU provider. Default: all cores. */
  readonly threads?: number;
  /**
   * Keeps freed activations for the next run (default true). False gives memory back to the system
   * after each use: slower, smaller.
   */
  readonly arena?: boolean;
  /**
   * The most bytes that a run's values may take. A run that would need more is refused before it
   * starts, rather than killed by the system half-way. See `peakBytes` for what counts.
   */
  readonly memoryLimit?: number;
  /** Prefix of a JSON trace that ONNX Runtime writes when the session is disposed. Not in a browser. */
  readonly profile?: string;
  /** Outputs that stay on the device, to be fed to the next run without a copy. Not for 'cpu'. */
  readonly keepOnDevice?: readonly string[];
  /**
   * The folder that the locations of baked-in weights are relative to. ONNX Runtime maps the files
   * into memory, so that several sessions and processes share one copy. Not in a browser.
   */
  readonly externalFolder?: string;
  /** Files in memory that locations of baked-in weights name: in a browser, which opens no others. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  /** Further settings of ONNX Runtime, by its own keys, such as 'session.disable_prepacking'. */
  readonly extra?: Readonly<Record<string, string>>;
}
