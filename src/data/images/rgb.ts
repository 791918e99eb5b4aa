/** Pictures in memory, and how they may be read. */

/** Pixels of an image: rows from the top, three bytes (red, green, blue; sRGB) a pixel. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** Length width * height * 3. */
  readonly data: Uint8Array;
}

export interface DecodeOptions {
  /** How messages name the image; by default its path, or 'image' for bytes. */
  readonly name?: string;
  /** Largest file, in bytes. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Largest picture, in pixels (of its first frame). Default 2^28, about 268 million. */
  readonly maxPixels?: number;
  /** Draw SVG files instead of refusing them. Default false. */
  readonly allowSvg?: boolean;
  /** Receives a sentence when something was odd yet readable, such as a PNG named .jpg. */
  readonly onWarning?: (sentence: string) => void;
  /** Checked between reading, the header and decoding. */
  readonly signal?: AbortSignal;
}
