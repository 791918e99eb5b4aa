/** Where a picture's XMP is kept. */
import { readFile, rm } from 'node:fs/promises';
import { format, parse } from 'node:path';
import { InputError } from '../base/errors.ts';
import { errorCode, writeFileAtomic, writing } from '../base/files.ts';
import type { SidecarNaming } from './choices.ts';

export interface XmpPlace {
  /** For messages: the file. */
  readonly name: string;
  /** The packet, or undefined where there is none. @throws InputError when it cannot be read */
  read(): Promise<string | undefined>;
  /** Puts a packet there; undefined: takes it away. @throws InputError when that cannot be done */
  write(packet: string | undefined): Promise<void>;
}

/** The XMP file beside a picture. */
export function xmpSidecarPath(file: string, naming: SidecarNaming): string {
  if (naming === 'full') return `${file}.xmp`;
  const { dir, name, root } = parse(file);
  return format({ dir, name, root, ext: '.xmp' });
}

/** An XMP file. */
export function sidecarPlace(path: string): XmpPlace {
  return {
    name: path,
    read: async () => {
      try {
        return decodePacket(await readFile(path), path);
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return undefined;
        if (error instanceof InputError) throw error;
        throw new InputError(`${path}: cannot be read (${errorCode(error) ?? String(error)}).`);
      }
    },
    write: (packet) =>
      packet === undefined
        ? writing(path, () => rm(path, { force: true }))
        : writeFileAtomic(path, packet),
  };
}

/**
 * The text of a packet. Encoded again it is the same bytes.
 * @throws InputError when it is not UTF-8
 */
export function decodePacket(bytes: Uint8Array, name: string): string {
  const isWide = bytes.subarray(0, 4).some((byte) => byte === 0 || byte >= 0xfe);
  try {
    if (!isWide) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The sentence is the same.
  }
  throw new InputError(
    `${name}: its XMP is not UTF-8 and is left as it is; convert it, for example with exiftool.`,
  );
}
