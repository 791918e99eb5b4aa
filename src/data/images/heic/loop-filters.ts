/**
 * Turns HEVC's loop filters on. libheif switches deblocking and SAO off where it is built for WebAssembly
 * (plugins/decoder_libde265.cc), for speed: pixels then differ by up to 18 levels from what the encoder meant, with edges
 * between blocks. Decoders are made through a table of functions (heif_plugin.h); the one that makes them is wrapped.
 */
import { type LibHeif, memory, readText } from './c-interface.ts';
import { type WasmExports, type WasmTable, wasm } from './web-assembly.ts';

/** heif_compression_HEVC. */
const hevc = 1;
/** Places in the structure heif_decoder_plugin, where pointers have four bytes. */
const plugin = { apiVersion: 0, idName: 40, newDecoder2: 56 } as const;
/** The version from which there is new_decoder2. */
const knownVersion = 5;
/** DE265_DECODER_PARAM_DISABLE_DEBLOCKING and DE265_DECODER_PARAM_DISABLE_SAO (de265.h). */
const switches = [7, 8];

/** A module that has the imported function `e.f` of three numbers as its export `f`: tables take no others. */
const wrapper = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0],
  ...[2, 7, 1, 1, 0x65, 1, 0x66, 0, 0],
  ...[7, 5, 1, 1, 0x66, 0, 0],
);

/**
 * @param exports of the instance
 * @param onDecoder called before a decoder is made: for each tile, each picture of an overlay, and transparency
 * @throws Error where its decoder is another than libde265's
 */
export function withLoopFilters(
  library: LibHeif,
  exports: WasmExports,
  onDecoder: () => void,
): void {
  const table = Object.values(exports).find((one): one is WasmTable => one instanceof wasm.Table);
  const word = (at: number): number => memory(library).getUint32(at, true);
  const found = library._malloc(4);
  const count = library._heif_get_decoder_descriptors(hevc, found, 1);
  // In libheif a descriptor is the plugin itself.
  const at = word(found);
  library._free(found);
  if (table === undefined || count !== 1 || word(at + plugin.apiVersion) < knownVersion)
    throw new Error('this version of libheif-js has another decoder than is known');
  if (readText(library, word(at + plugin.idName)) !== 'libde265')
    throw new Error('this version of libheif-js decodes by another library than libde265');
  const place = word(at + plugin.newDecoder2);
  const before = table.get(place);
  if (typeof before !== 'function') throw new Error('libheif-js makes no decoders');
  const after = (error: number, decoder: number, options: number): void => {
    onDecoder();
    before(error, decoder, options);
    if (word(error) !== 0) return;
    // The decoder's first member is libde265's own.
    const own = word(word(decoder));
    for (const parameter of switches) library._de265_set_parameter_bool(own, parameter, 0);
  };
  const { f } = new wasm.Instance(new wasm.Module(wrapper), { e: { f: after } }).exports;
  table.set(place, f);
}
