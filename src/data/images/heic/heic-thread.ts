/** A thread that decodes HEIC pictures: in WebAssembly, up to a second or two each. */
import { serve } from '../../../base/threads/serve.ts';
import type { LibHeif } from './c-interface.ts';
import { openLibHeif } from './library.ts';
import { type HeicHeader, readHeicHeader, unpackHeic } from './unpack.ts';
import { wasm } from './web-assembly.ts';

/** Memory never shrinks: an instance that has more is not kept for the next picture. */
const mostKept = 2 ** 28;

let kept: LibHeif | undefined;

function withLibrary<T>(work: (library: LibHeif) => T): T {
  const library = kept ?? openLibHeif();
  kept = undefined;
  try {
    const result = work(library);
    if (library.HEAPU8.length <= mostKept) kept = library;
    return result;
  } catch (error) {
    if (!(error instanceof wasm.RuntimeError)) kept = library;
    throw error;
  }
}

const handlers = {
  header: async (bytes: Uint8Array): Promise<HeicHeader> =>
    withLibrary((library) => readHeicHeader(library, bytes)),
  unpack: async ({
    bytes,
    mostPixels,
  }: {
    readonly bytes: Uint8Array;
    readonly mostPixels: number;
  }): Promise<Uint8Array> => withLibrary((library) => unpackHeic(library, bytes, mostPixels)),
};

export type HeicThread = typeof handlers;

serve(handlers);
