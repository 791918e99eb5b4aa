/** Limits of decoding, as commands name them. */
import type { CaptionOptions } from '../../caption/options.ts';

export interface DecodeFlags {
  readonly maxPixels?: number;
  readonly maxBytes?: number;
  readonly allowSvg?: true;
}

export function decodeOptions({
  maxPixels,
  maxBytes,
  allowSvg,
}: DecodeFlags): NonNullable<CaptionOptions['decode']> {
  return {
    allowSvg: allowSvg ?? false,
    ...(maxPixels !== undefined && { maxPixels }),
    ...(maxBytes !== undefined && { maxBytes }),
    onWarning: (sentence: string) => console.error(`refcap: ${sentence}`),
  };
}
