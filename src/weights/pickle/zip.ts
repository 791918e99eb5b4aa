/**
 * The table of contents of a zip archive (with zip64), enough to find torch.save's stored entries.
 * Format: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
 */

import type { RandomAccess } from '../bytes.ts';
import { PickleError } from './unpickle.ts';

/** A file in the archive. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Where its bytes begin: read from its local header, checked to lie in the archive. */
  locate(): number;
}

const signature = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const mostDirectoryBytes = 256 * 2 ** 20;
const utf8 = new TextDecoder();

/**
 * Reads the archive's central directory.
 * @throws PickleError when the archive is broken, truncated or split over disks.
 */
export function readZipDirectory(access: RandomAccess): Map<string, ZipEntry> {
  const fail = (reason: string): PickleError => new PickleError(access.path, reason);
  const { offset, size, count } = findDirectory(access, fail);
  if (offset + size > access.size || size > mostDirectoryBytes || count * 46 > size)
    throw fail('its zip directory lies outside the file (truncated?)');
  const bytes = viewAt(access, offset, size);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || bytes.getUint32(at, true) !== signature.central)
      throw fail('its zip directory is broken');
    const { entry, next } = readEntry(access, bytes, at, fail);
    if (entries.has(entry.name)) throw fail(`its zip holds ${JSON.stringify(entry.name)} twice`);
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

function viewAt(access: RandomAccess, offset: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  access.readSync(offset, bytes);
  return new DataView(bytes.buffer);
}

function findDirectory(
  access: RandomAccess,
  fail: (reason: string) => PickleError,
): { offset: number; size: number; count: number } {
  // The end record has 22 bytes and a comment of at most 65535 behind it.
  const length = Math.min(access.size, 22 + 65535);
  const start = access.size - length;
  const tail = viewAt(access, start, length);
  let at = length - 22;
  while (at >= 0 && tail.getUint32(at, true) !== signature.end) at--;
  if (at < 0) throw fail('its zip directory is missing; the file is truncated');
  const count = tail.getUint16(at + 10, true);
  const size = tail.getUint32(at + 12, true);
  const offset = tail.getUint32(at + 16, true);
  const locator = start + at - 20;
  if (locator >= 0) {
    const view = viewAt(access, locator, 20);
    if (view.getUint32(0, true) === signature.locator64) {
      const end64 = safe64(view, 8, fail);
      if (end64 + 56 > locator) throw fail('its zip64 record lies outside the file');
      const record = viewAt(access, end64, 56);
      if (record.getUint32(0, true) !== signature.end64) throw fail('its zip64 record is broken');
      return {
        count: safe64(record, 32, fail),
        size: safe64(record, 40, fail),
        offset: safe64(record, 48, fail),
      };
    }
  }
  return { count, size, offset };
}

function safe64(view: DataView, at: number, fail: (reason: string) => PickleError): number {
  const value = view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true);
  if (!Number.isSafeInteger(value)) throw fail('a size in its zip is impossible');
  return value;
}

function readEntry(
  access: RandomAccess,
  bytes: DataView,
  at: number,
  fail: (reason: string) => PickleError,
): { entry: ZipEntry; next: number } {
  const flags = bytes.getUint16(at + 8, true);
  const method = bytes.getUint16(at + 10, true);
  const lengths = [28, 30, 32].map((field) => bytes.getUint16(at + field, true));
  const [nameLength, extraLength, commentLength] = lengths;
  const extraStart = at + 46 + nameLength;
  const next = extraStart + extraLength + commentLength;
  if (next > bytes.byteLength) throw fail('its zip directory is broken');
  const name = utf8.decode(new Uint8Array(bytes.buffer, at + 46, nameLength));
  const fields = {
    size: bytes.getUint32(at + 24, true),
    stored: bytes.getUint32(at + 20, true),
    header: bytes.getUint32(at + 42, true),
  };
  // Zip64: the fields that overflowed, in this order, are in the extra field 1.
  for (let extra = extraStart; extra + 4 <= extraStart + extraLength; ) {
    const end = extra + 4 + bytes.getUint16(extra + 2, true);
    if (end > extraStart + extraLength) throw fail('its zip directory is broken');
    if (bytes.getUint16(extra, true) === 1) {
      let field = extra + 4;
      for (const key of ['size', 'stored', 'header'] as const) {
        if (fields[key] !== 0xffffffff) continue;
        if (field + 8 > end) throw fail('its zip directory is broken');
        fields[key] = safe64(bytes, field, fail);
        field += 8;
      }
    }
    extra = end;
  }
  const { size, stored, header } = fields;
  const locate = (): number => {
    if (method !== 0 || stored !== size || (flags & 1) !== 0)
      throw fail(`its zip entry ${JSON.stringify(name)} is compressed or encrypted; torch stores`);
    const broken = () => fail(`its zip entry ${JSON.stringify(name)} lies outside the file`);
    if (header + 30 > access.size) throw broken();
    const local = viewAt(access, header, 30);
    if (local.getUint32(0, true) !== signature.local) throw broken();
    const begin = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    if (begin + size > access.size) throw broken();
    return begin;
  };
  return { entry: { name, size, locate }, next };
}
