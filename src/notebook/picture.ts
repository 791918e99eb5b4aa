/** Pictures for cells, as `data:` addresses. */
import { basename } from 'node:path';
import { thumbnail } from '../data/images/thumbnail.ts';
import { escapeHtml } from '../pages/frame.ts';

/** A picture of a cell. */
export interface ShownImage {
  /** A `data:` address. */
  readonly address: string;
  /** For those who do not see it; what stands for the picture in plain text. */
  readonly description: string;
}

export interface SmallPictureOptions {
  /** Pixels of the longest side. Default 160. */
  readonly size?: number;
  /** Default: the file's name. */
  readonly description?: string;
}

/**
 * A picture made small, as JPEG; one that is smaller keeps its size.
 * @throws InputError naming the file when it is missing or no picture
 */
export async function smallPicture(
  path: string,
  { size = 160, description = basename(path) }: SmallPictureOptions = {},
): Promise<ShownImage> {
  return { address: await thumbnail(path, size), description };
}

/** The picture as HTML. */
export function imageTag({ address, description }: ShownImage): string {
  return `<img src="${address}" alt="${escapeHtml(description)}">`;
}
