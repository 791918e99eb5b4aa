/** A page's bytes as text and back, each byte as it was. */
import { isUtf8 } from 'node:buffer';

/** How a page's text is written. Latin-1 stands for every 8-bit encoding whose lower half is ASCII. */
export type PageEncoding = 'utf8' | 'latin1';

export interface PageText {
  /** With the byte order mark, where there is one. */
  readonly text: string;
  readonly encoding: PageEncoding;
}

/** Undefined for bytes of UTF-16, and for what is no text. */
export function decodePage(bytes: Buffer): PageText | undefined {
  if (isUtf8(bytes))
    return bytes.includes(0) ? undefined : { text: bytes.toString(), encoding: 'utf8' };
  const isWide =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return isWide || bytes.includes(0)
    ? undefined
    : { text: bytes.toString('latin1'), encoding: 'latin1' };
}

/** The reverse of `decodePage`. */
export function encodePage({ text, encoding }: PageText): Buffer {
  return Buffer.from(text, encoding);
}

/** Text for markup in a page of that encoding: beyond ASCII as references where the encoding is not known. */
export function fitEncoding(markup: string, encoding: PageEncoding): string {
  if (encoding === 'utf8') return markup;
  return markup.replace(/[^\0-\x7f]/gu, (c) => `&#${c.codePointAt(0)};`);
}
