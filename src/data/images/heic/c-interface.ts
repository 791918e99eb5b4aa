/** libheif's C interface, and the memory in which it is called. */

/**
 * libheif's C interface, as far as it is used here. Pointers are numbers; a structure that C returns is written where
 * the first argument points.
 */
export interface LibHeif {
  /** Parts of a picture that may still be decoded; one more ends the instance. */
  partsLeft: number;
  /** All memory; another array after the memory grew. */
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _heif_context_alloc(): number;
  _heif_context_free(context: number): void;
  _heif_context_get_security_limits(context: number): number;
  _heif_context_read_from_memory_without_copy(
    error: number,
    context: number,
    bytes: number,
    length: number,
    options: 0,
  ): void;
  _heif_context_get_primary_image_handle(error: number, context: number, handle: number): void;
  _heif_image_handle_release(handle: number): void;
  _heif_image_handle_get_width(handle: number): number;
  _heif_image_handle_get_height(handle: number): number;
  _heif_image_handle_get_luma_bits_per_pixel(handle: number): number;
  _heif_image_handle_get_image_tiling(
    error: number,
    handle: number,
    isTransformed: 0 | 1,
    tiling: number,
  ): void;
  _heif_image_handle_has_alpha_channel(handle: number): number;
  _heif_image_handle_is_premultiplied_alpha(handle: number): number;
  _heif_image_handle_get_raw_color_profile_size(handle: number): number;
  _heif_image_handle_get_raw_color_profile(error: number, handle: number, profile: number): void;
  _heif_image_handle_get_nclx_color_profile(error: number, handle: number, nclx: number): void;
  _heif_nclx_color_profile_free(nclx: number): void;
  _heif_decoding_options_alloc(): number;
  _heif_decoding_options_free(options: number): void;
  _heif_decode_image(
    error: number,
    handle: number,
    image: number,
    colours: number,
    chroma: number,
    options: number,
  ): void;
  _heif_image_release(image: number): void;
  _heif_image_get_width(image: number, channel: number): number;
  _heif_image_get_height(image: number, channel: number): number;
  _heif_image_get_bits_per_pixel_range(image: number, channel: number): number;
  _heif_image_get_plane_readonly2(image: number, channel: number, stride: number): number;
  _heif_image_get_decoding_warnings(image: number, first: number, to: number, most: number): number;
  _heif_get_decoder_descriptors(format: number, descriptors: number, most: number): number;
  _de265_set_parameter_bool(decoder: number, parameter: number, value: number): void;
}

/** The library's memory as it is now. */
export function memory(library: LibHeif): DataView {
  return new DataView(library.HEAPU8.buffer);
}

/** A text of C's. */
export function readText(library: LibHeif, at: number): string {
  const bytes = library.HEAPU8;
  const end = bytes.indexOf(0, at);
  return at === 0 ? '' : new TextDecoder().decode(bytes.subarray(at, end));
}
