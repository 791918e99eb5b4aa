/** libheif (with the HEVC decoder libde265) in WebAssembly, as the optional package libheif-js has it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { InputError } from '../../../base/errors.ts';
import type { LibHeif } from './c-interface.ts';
import { withLoopFilters } from './loop-filters.ts';
import { type WasmExports, wasm } from './web-assembly.ts';

/** What the package exports. */
type MakeLibHeif = (options: {
  instantiateWasm(
    imports: object,
    done: (instance: { readonly exports: WasmExports }) => void,
  ): WasmExports;
  print(line: string): void;
  printErr(line: string): void;
}) => Omit<LibHeif, 'partsLeft'>;

const script = 'libheif-js/libheif-wasm/libheif.js';
const require = createRequire(import.meta.url);

/** @throws InputError naming the picture `name` where the package is not installed */
export function requireLibHeif(name: string): void {
  try {
    require.resolve(script);
  } catch {
    throw new InputError(
      `${name}: HEIC pictures need the package libheif-js, which is not installed here; npm install libheif-js, or convert it to JPEG.`,
    );
  }
}

let compiled: { readonly make: MakeLibHeif; readonly module: object } | undefined;

/** A fresh instance, whose memory goes with it. @throws Error where the package is not the one that is known */
export function openLibHeif(): LibHeif {
  compiled ??= {
    make: require(script),
    module: new wasm.Module(readFileSync(require.resolve(script.replace(/js$/, 'wasm')))),
  };
  const { make, module } = compiled;
  let exports: WasmExports = {};
  const made = make({
    instantiateWasm(imports, done) {
      const instance = new wasm.Instance(module, imports);
      exports = instance.exports;
      done(instance);
      return exports;
    },
    print: () => undefined,
    printErr: () => undefined,
  });
  const library = Object.assign(made, { partsLeft: 0 });
  withLoopFilters(library, exports, () => {
    library.partsLeft -= 1;
    // Nothing but an error of WebAssembly's own goes through all of its functions.
    if (library.partsLeft < 0) throw new wasm.RuntimeError('it has more parts than are seen');
  });
  return library;
}
