/** WebAssembly, as far as it is used here: its types are those of the DOM, which this code does without. */

/** Functions, memory and tables of an instance. */
export type WasmExports = Readonly<Record<string, unknown>>;

/** Functions by their places. */
export interface WasmTable {
  get(place: number): unknown;
  set(place: number, value: unknown): void;
}

interface WasmInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: WasmExports };
  readonly Table: abstract new (...args: never[]) => WasmTable;
  readonly RuntimeError: new (message?: string) => Error;
}

export const wasm: WasmInterface = Reflect.get(globalThis, 'WebAssembly');
