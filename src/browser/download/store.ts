/** Files that a browser keeps in its Cache API: in pieces, so that a download can be taken up again, under their hashes. */

/** Bytes of a piece. */
export const pieceBytes: number = 4 << 20;

const cacheName = 'refcap';
/** Cached things have addresses; nothing is ever fetched from these. */
const address = 'https://refcap.invalid/';

/** What is kept; nothing, where the browser keeps nothing. */
export class FileStore {
  readonly #cache: Cache | undefined;
  #isFull = false;

  private constructor(cache: Cache | undefined) {
    this.#cache = cache;
  }

  /** Private windows and some settings have no cache: then nothing is kept. */
  static async open(): Promise<FileStore> {
    return new FileStore(await caches.open(cacheName).catch(() => undefined));
  }

  /** Fills `target` with the pieces that are kept, from its start on. @returns bytes filled */
  async fill(sha256: string, target: Uint8Array): Promise<number> {
    const pieces = Array.from({ length: Math.ceil(target.length / pieceBytes) }, (_, i) =>
      this.#fillPiece(sha256, i, target.subarray(i * pieceBytes, (i + 1) * pieceBytes)),
    );
    const missing = (await Promise.all(pieces)).indexOf(false);
    return missing < 0 ? target.length : missing * pieceBytes;
  }

  /** @returns whether it is kept, and whole */
  async #fillPiece(sha256: string, index: number, target: Uint8Array): Promise<boolean> {
    const kept = await this.#cache?.match(pieceAddress(sha256, index));
    const piece = kept && new Uint8Array(await kept.arrayBuffer());
    if (piece?.length !== target.length) return false;
    target.set(piece);
    return true;
  }

  /** Keeps piece `index` of a file, where there is room. */
  async keepPiece(sha256: string, index: number, piece: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#put(pieceAddress(sha256, index), piece);
  }

  async forget(sha256: string): Promise<void> {
    for (let i = 0; await this.#cache?.delete(pieceAddress(sha256, i)); i++);
  }

  async keepText(name: string, text: string): Promise<void> {
    await this.#put(textAddress(name), text);
  }

  async text(name: string): Promise<string | undefined> {
    const kept = await this.#cache?.match(textAddress(name));
    return kept?.text();
  }

  async #put(key: string, content: Uint8Array<ArrayBuffer> | string): Promise<void> {
    if (this.#isFull) return;
    // Over its quota a browser refuses; what is there goes on without.
    await this.#cache?.put(key, new Response(content)).catch(() => {
      this.#isFull = true;
    });
  }
}

function pieceAddress(sha256: string, index: number): string {
  return `${address}${sha256}/${index}`;
}

function textAddress(name: string): string {
  return `${address}text?of=${encodeURIComponent(name)}`;
}
