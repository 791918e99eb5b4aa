/** Runs graphs in a browser, by onnxruntime-web: in WebAssembly ('cpu') or on WebGPU. */
import type { InferenceSession } from 'onnxruntime-web';
import { InputError } from '../../../base/errors.ts';
import type { SessionOptions } from '../options.ts';
import type { BackEnd } from './back-end.ts';

/** Threads that sessions asked for; WebAssembly is started once with all it will have. */
let threads: number | undefined;

/** The address of the folder of its .wasm files. */
let runtimeFolder: string | undefined;

export interface RuntimeOptions {
  /** Of WebAssembly. */
  readonly threads: number;
  /** Address of the folder of its .wasm files, with the slash. Default: where its script looks for them. */
  readonly folder?: string | undefined;
}

/**
 * Has the browser fetch and compile ONNX Runtime ahead of the first session, and says where its files lie. What fails here
 * is told by that session.
 */
export async function startRuntime(
  device: string,
  { threads, folder }: RuntimeOptions,
): Promise<void> {
  runtimeFolder = folder ?? runtimeFolder;
  try {
    const options = settings(device, { threads });
    const { InferenceSession } = await backEnd.load(device);
    // It starts before it finds that this is no model.
    await InferenceSession.create(new Uint8Array(0), options);
  } catch {}
}

export const backEnd: BackEnd = {
  name: 'onnxruntime-web',
  writesInto: false,
  devices: () => (hasWebGpu() ? ['cpu', 'webgpu'] : ['cpu']),
  load: async (device) => {
    const ort =
      device === 'cpu'
        ? await import('onnxruntime-web/wasm')
        : await import('onnxruntime-web/webgpu');
    if (threads !== undefined) ort.env.wasm.numThreads = threads;
    if (runtimeFolder !== undefined) ort.env.wasm.wasmPaths = wasmFile(device, runtimeFolder);
    return ort;
  },
  settings,
  weightFiles: (_, files) => ({
    root: '',
    locate: (location) => {
      if (files?.has(location)) return mountedName(files, location);
      throw new InputError(
        `${location}: a browser cannot open weights in their file; give their bytes.`,
      );
    },
  }),
  free: () => undefined,
  // Relaxed SIMD may saturate, and which build runs is the browser's choice.
  hasExactInt8: () => false,
  hasFastBlocks: () => false,
};

/** Files in memory have names of their own there: it takes no addresses. */
function mountedName(files: ReadonlyMap<string, Uint8Array>, location: string): string {
  return `weights-${[...files.keys()].indexOf(location)}`;
}

/** The file alone: the script that starts it is in the bundle. */
function wasmFile(device: string, folder: string): { readonly wasm: string } {
  const build = device === 'cpu' ? '' : '.asyncify';
  return { wasm: `${folder}ort-wasm-simd-threaded${build}.wasm` };
}

function settings(device: string, options: SessionOptions): InferenceSession.SessionOptions {
  const { keepOnDevice, profile, arena, files, extra } = options;
  if (profile !== undefined)
    throw new InputError('profile: a trace is a file, which a browser cannot write.');
  takeThreads(options.threads);
  return {
    executionProviders: [device === 'cpu' ? 'wasm' : device],
    enableCpuMemArena: arena ?? true,
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...(keepOnDevice && {
      preferredOutputLocation: Object.fromEntries(
        keepOnDevice.map((name) => [name, 'gpu-buffer' as const]),
      ),
    }),
    ...(files && {
      externalData: [...files].map(([location, data]) => ({
        path: mountedName(files, location),
        data,
      })),
    }),
    ...(extra && { extra: { ...extra } }),
  };
}

function takeThreads(wanted: number | undefined): void {
  if (wanted === undefined || wanted === threads) return;
  if (threads !== undefined)
    throw new InputError(
      `threads (${wanted}): the first session of this page started WebAssembly with ${threads}, which holds for all.`,
    );
  const scope: object = globalThis;
  const isIsolated = 'crossOriginIsolated' in scope && scope.crossOriginIsolated === true;
  if (wanted > 1 && !isIsolated)
    throw new InputError(
      `threads (${wanted}): this page is not cross-origin isolated, so it has one; send the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy.`,
    );
  threads = wanted;
}

function hasWebGpu(): boolean {
  const scope: object = globalThis;
  if (!('navigator' in scope)) return false;
  const { navigator } = scope;
  return typeof navigator === 'object' && navigator !== null && 'gpu' in navigator;
}
