/** Pictures in memory. */

/** Pixels of an image: rows from the top, three bytes (red, green, blue; sRGB) a pixel. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** Length width * height * 3. */
  readonly data: Uint8Array;
}
