/** Texts on their way between threads: one buffer that is handed over, not copied. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** UTF-8 of several texts; text i ends at byte `ends[i]`. */
export interface PackedTexts {
  bytes: Uint8Array<ArrayBuffer>;
  ends: Int32Array<ArrayBuffer>;
}

/** Packs texts that are UTF-8 already. */
export function packBytes(texts: readonly Uint8Array[]): PackedTexts {
  const ends = new Int32Array(texts.length);
  let size = 0;
  texts.forEach((text, i) => {
    size += text.length;
    ends[i] = size;
  });
  const bytes = new Uint8Array(size);
  texts.forEach((text, i) => {
    bytes.set(text, ends[i] - text.length);
  });
  return { bytes, ends };
}

/** Packs strings. */
export function packTexts(texts: readonly string[]): PackedTexts {
  return packBytes(texts.map((text) => encoder.encode(text)));
}

/** The texts as strings. */
export function unpackTexts({ bytes, ends }: PackedTexts): string[] {
  const texts = new Array<string>(ends.length);
  let start = 0;
  for (let i = 0; i < ends.length; i++) {
    texts[i] = decoder.decode(bytes.subarray(start, ends[i]));
    start = ends[i];
  }
  return texts;
}
