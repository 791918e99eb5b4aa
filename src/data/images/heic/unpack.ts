/** HEIC pictures (ISO/IEC 23008-12 with HEVC) to TIFFs without compression, by libheif: rotated, mirrored and cut as they say. */

import { type LibHeif, memory, readText } from './c-interface.ts';
import { colourProfile } from './colour-profile.ts';
import { type StoredSamples, sampleBytes, tiffOf } from './samples.ts';
import { wasm } from './web-assembly.ts';

/** What can be told before a pixel is decoded. Width and height are those that are shown. */
export interface HeicHeader {
  readonly width: number;
  readonly height: number;
  /** Of a sample. */
  readonly bits: number;
}

/** libheif's numbers. */
const rgb = 1;
const interleaved = 10;
/** heif_chroma_interleaved_RGB and heif_chroma_interleaved_RRGGBB_LE; those with alpha follow. */
const chromas = { 8: 10, 16: 14 } as const;
/** Places in structures: strict_decoding of heif_decoding_options, max_image_size_pixels of heif_security_limits. */
const strictDecoding = 21;
const mostImagePixels = 8;
/** Decoders pad pictures to whole blocks. */
const block = 64;

/** The size of the primary picture, from the boxes alone. @throws Error when it cannot be read */
export function readHeicHeader(library: LibHeif, bytes: Uint8Array): HeicHeader {
  return new Reading(library).header(bytes);
}

/**
 * The primary picture as a TIFF: 8 or 16 bits a sample, with its transparency and colour profile.
 * @param mostPixels none of its parts may be larger
 * @throws Error when it is cut off, damaged or of a kind that is not read
 */
export function unpackHeic(library: LibHeif, bytes: Uint8Array, mostPixels: number): Uint8Array {
  return new Reading(library).unpack(bytes, mostPixels);
}

/** One reading of a file; what it took of the library's memory is given back at its end. */
class Reading {
  readonly #library: LibHeif;
  readonly #error: number;
  readonly #out: number;
  /** What gives memory back, the last taken first. */
  readonly #releases: (() => void)[] = [];

  constructor(library: LibHeif) {
    this.#library = library;
    this.#error = this.#allocate(16);
    this.#out = this.#allocate(8);
  }

  header(bytes: Uint8Array): HeicHeader {
    return this.#released(() => this.#headerOf(this.#open(bytes)));
  }

  unpack(bytes: Uint8Array, mostPixels: number): Uint8Array {
    return this.#released(() => this.#unpack(bytes, mostPixels));
  }

  /** Of `work`, all is given back at its end; unless the library broke down, whose instance is of no more use. */
  #released<T>(work: () => T): T {
    let hasBroken = false;
    try {
      return work();
    } catch (error) {
      hasBroken = error instanceof wasm.RuntimeError;
      throw error;
    } finally {
      if (!hasBroken) for (const release of this.#releases.reverse()) release();
    }
  }

  #unpack(bytes: Uint8Array, mostPixels: number): Uint8Array {
    const library = this.#library;
    const handle = this.#open(bytes, mostPixels);
    const { width, height, bits } = this.#headerOf(handle);
    // Transparency may have as many tiles again, and an overlay is of a few pictures.
    library.partsLeft = 2 * this.#tiles(handle) + 8;
    const hasAlpha = library._heif_image_handle_has_alpha_channel(handle) !== 0;
    const depth = bits > 8 ? 16 : 8;
    const image = this.#decode(handle, chromas[depth] + (hasAlpha ? 1 : 0));
    const samples: StoredSamples = {
      width,
      height,
      channels: hasAlpha ? 4 : 3,
      depth,
      bits: library._heif_image_get_bits_per_pixel_range(image, interleaved),
      isPremultiplied: library._heif_image_handle_is_premultiplied_alpha(handle) !== 0,
      profile: this.#profile(handle),
    };
    if (
      library._heif_image_get_width(image, interleaved) !== width ||
      library._heif_image_get_height(image, interleaved) !== height
    )
      throw new Error('its pixels are not as many as it says');
    const plane = library._heif_image_get_plane_readonly2(image, interleaved, this.#out);
    const stride = this.#word(this.#out);
    const rowBytes = width * sampleBytes(samples);
    return tiffOf(samples, (row) => {
      const at = plane + row * stride;
      return library.HEAPU8.subarray(at, at + rowBytes);
    });
  }

  /** The handle of the primary picture. */
  #open(bytes: Uint8Array, mostPixels?: number): number {
    const library = this.#library;
    const copy = this.#allocate(bytes.length);
    library.HEAPU8.set(bytes, copy);
    const context = library._heif_context_alloc();
    this.#releases.push(() => library._heif_context_free(context));
    if (mostPixels !== undefined) {
      const side = Math.ceil(Math.sqrt(mostPixels)) + block;
      const limits = library._heif_context_get_security_limits(context);
      memory(library).setBigUint64(limits + mostImagePixels, BigInt(side) ** 2n, true);
    }
    library._heif_context_read_from_memory_without_copy(
      this.#error,
      context,
      copy,
      bytes.length,
      0,
    );
    this.#check();
    library._heif_context_get_primary_image_handle(this.#error, context, this.#out);
    this.#check();
    const handle = this.#word(this.#out);
    this.#releases.push(() => library._heif_image_handle_release(handle));
    return handle;
  }

  #headerOf(handle: number): HeicHeader {
    const library = this.#library;
    const width = library._heif_image_handle_get_width(handle);
    const height = library._heif_image_handle_get_height(handle);
    if (width < 1 || height < 1) throw new Error('it says no size');
    // -1 where it is not known before decoding.
    const bits = Math.max(8, library._heif_image_handle_get_luma_bits_per_pixel(handle));
    return { width, height, bits };
  }

  /** The number of tiles. Those that are not seen would be decoded all the same. */
  #tiles(handle: number): number {
    const library = this.#library;
    const tiling = this.#allocate(128);
    library._heif_image_handle_get_image_tiling(this.#error, handle, 0, tiling);
    this.#check();
    // Behind the version: columns, rows, a tile's width and height, the picture's.
    const [columns, rows, tileWidth, tileHeight, width, height] = [1, 2, 3, 4, 5, 6].map((i) =>
      this.#word(tiling + 4 * i),
    );
    if ((columns - 1) * tileWidth >= width || (rows - 1) * tileHeight >= height)
      throw new Error('it has more tiles than are seen');
    return columns * rows;
  }

  #decode(handle: number, chroma: number): number {
    const library = this.#library;
    const options = library._heif_decoding_options_alloc();
    this.#releases.push(() => library._heif_decoding_options_free(options));
    library.HEAPU8[options + strictDecoding] = 1;
    library._heif_decode_image(this.#error, handle, this.#out, rgb, chroma, options);
    this.#check();
    const image = this.#word(this.#out);
    this.#releases.push(() => library._heif_image_release(image));
    if (library._heif_image_get_decoding_warnings(image, 0, 0, 0) > 0) {
      library._heif_image_get_decoding_warnings(image, 0, this.#error, 1);
      throw this.#fault();
    }
    return image;
  }

  /** An ICC profile: the file's own, or one of what its numbers (nclx) say. */
  #profile(handle: number): Uint8Array | undefined {
    const library = this.#library;
    const size = library._heif_image_handle_get_raw_color_profile_size(handle);
    if (size > 0) {
      const at = this.#allocate(size);
      library._heif_image_handle_get_raw_color_profile(this.#error, handle, at);
      this.#check();
      return library.HEAPU8.slice(at, at + size);
    }
    library._heif_image_handle_get_nclx_color_profile(this.#error, handle, this.#out);
    if (this.#word(this.#error) !== 0) return undefined;
    const nclx = this.#word(this.#out);
    this.#releases.push(() => library._heif_nclx_color_profile_free(nclx));
    return colourProfile(this.#word(nclx + 4), this.#word(nclx + 8));
  }

  #allocate(bytes: number): number {
    const library = this.#library;
    const at = library._malloc(bytes);
    if (at === 0) throw new Error('it needs more memory than a decoder may have');
    this.#releases.push(() => library._free(at));
    return at;
  }

  #word(at: number): number {
    return memory(this.#library).getUint32(at, true);
  }

  #check(): void {
    if (this.#word(this.#error) !== 0) throw this.#fault();
  }

  #fault(): Error {
    return new Error(readText(this.#library, this.#word(this.#error + 8)) || 'no reason given');
  }
}
