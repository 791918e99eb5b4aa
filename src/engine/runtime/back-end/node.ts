/** Runs graphs by onnxruntime-node. */
import '../../../base/quiet.ts';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parse, relative, resolve } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import type { SessionOptions } from '../options.ts';
import type { BackEnd } from './back-end.ts';

// Deno's N-API does not know Float16Array. ONNX Runtime looks for it once, with its first tensor; without it f16 is held
// in Uint16Array.
if (process.versions.deno !== undefined) {
  const there = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  Reflect.deleteProperty(globalThis, 'Float16Array');
  new ort.Tensor('int32', Int32Array.of(0), [1]);
  if (there) Object.defineProperty(globalThis, 'Float16Array', there);
}

export const backEnd: BackEnd = {
  name: 'onnxruntime-node',
  writesInto: true,
  devices: () => ort.listSupportedBackends().map((backend) => backend.name),
  load: async () => ort,
  settings,
  weightFiles: (folder) => {
    // ONNX Runtime refuses links that lead out of the folder, which download caches are made of:
    // name the files from the root.
    const { root } = parse(resolve(folder));
    return { root, locate: (location) => relative(root, resolve(folder, location)) };
  },
  free,
  hasExactInt8,
  hasFastBlocks: () => process.arch === 'x64' && hasExactInt8(),
};

function settings(device: string, options: SessionOptions): ort.InferenceSession.SessionOptions {
  const { keepOnDevice, profile, externalFolder } = options;
  return {
    executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
    intraOpNumThreads: options.threads ?? availableParallelism(),
    enableCpuMemArena: options.arena ?? true,
    // A planned block would be taken beside what the first run left in the arena: twice the memory.
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...(keepOnDevice && {
      preferredOutputLocation: Object.fromEntries(
        keepOnDevice.map((name) => [name, 'gpu-buffer' as const]),
      ),
    }),
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
    extra: {
      ...(externalFolder !== undefined && {
        'session.model_external_initializers_file_folder_path': externalFolder,
      }),
      ...options.extra,
    },
  };
}

let nowhere: MessagePort | undefined;

/** Moves buffers into a message that nobody can receive. */
function free(buffers: readonly ArrayBuffer[]): void {
  if (!nowhere) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    port1.unref();
    nowhere = port1;
  }
  nowhere.postMessage(undefined, [...new Set(buffers)]);
}

/** Without VNNI the kernels add pairs of products in 16 bits. */
function hasExactInt8(): boolean {
  let flags = '';
  try {
    flags = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    // Elsewhere than on Linux the careful choice holds.
  }
  return process.arch === 'arm64' || /\b(avx512_vnni|avx_vnni|amx_int8)\b/.test(flags);
}
