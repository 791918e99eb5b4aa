/** What a kind of picture file must do to carry XMP: everything else in it stays byte for byte. */
import { InputError } from '../../base/errors.ts';

export interface Carrier {
  /** Such as JPEG. */
  readonly kind: string;
  /** Whether a file is of this kind, by its first bytes. */
  isOurs(bytes: Buffer): boolean;
  /** The packet, or undefined where there is none. @throws InputError when the file is damaged */
  read(bytes: Buffer, name: string): Buffer | undefined;
  /**
   * The whole file with another packet, or with none.
   * @throws InputError when it is damaged, or would be by it
   */
  write(bytes: Buffer, packet: Buffer | undefined, name: string): Buffer;
}

/** What to do where a picture cannot carry its caption. */
const wayOut = 'put its caption into a file beside it, with --format xmp';

export function damaged(name: string, kind: string, what: string): InputError {
  return new InputError(`${name}: the ${kind} is cut off or damaged (${what}) and stays as it is.`);
}

export function unfit(name: string, reason: string): InputError {
  return new InputError(`${name}: ${reason}; ${wayOut}.`);
}

/** Their signature covers the file's bytes. */
export function signed(name: string): InputError {
  return unfit(name, 'its Content Credentials (C2PA) would be broken by any change');
}

export function severalPackets(name: string): InputError {
  return unfit(name, 'it holds several XMP packets, of which programs read different ones');
}
