/** Decoded pictures to those that are wanted, by FFmpeg's filters. */
import type { AvFilterContext, AvFilterGraph, AvFrame, AvRational, NodeAv } from './package.ts';

interface OpenGraph {
  readonly graph: AvFilterGraph;
  readonly source: AvFilterContext;
  readonly sink: AvFilterContext;
}

/** Filters one after the other, which are set up anew where the pictures that come change their kind. */
export class FilterChain {
  readonly #library: NodeAv;
  readonly #filters: readonly string[];
  readonly #timeBase: AvRational;
  readonly #made: AvFrame;
  #open: OpenGraph | undefined;
  #kind = '';

  /** @param filters ffmpeg's, with their options */
  constructor(library: NodeAv, filters: readonly string[], timeBase: AvRational) {
    this.#library = library;
    this.#filters = filters;
    this.#timeBase = timeBase;
    this.#made = new library.Frame();
    this.#made.alloc();
  }

  /** @returns the picture, until the next; or FFmpeg's error */
  async run(frame: AvFrame): Promise<AvFrame | number> {
    this.#made.unref();
    const graph = await this.#graphFor(frame);
    if (typeof graph === 'number') return graph;
    const taken = await graph.source.buffersrcAddFrame(frame);
    const code = taken < 0 ? taken : await graph.sink.buffersinkGetFrame(this.#made);
    return code < 0 ? code : this.#made;
  }

  /** Puts a picture's rows and planes one after the other; they must run from the top down. */
  copy(frame: AvFrame, target: Uint8Array): void {
    const bytes = Buffer.from(target.buffer, target.byteOffset, target.length);
    const { data, linesize, format, width, height } = frame;
    const copied = this.#library.avImageCopyToBuffer(
      ...[bytes, bytes.length, data, linesize, format, width, height, 1],
    );
    if (copied !== target.length) throw new Error('node-av gave a picture of another size');
  }

  close(): void {
    this.#open?.graph.free();
    this.#open = undefined;
    this.#made.free();
  }

  async #graphFor(frame: AvFrame): Promise<OpenGraph | number> {
    const { width, height, format, sampleAspectRatio: aspect, colorSpace, colorRange } = frame;
    const { num, den } = this.#timeBase;
    const kind = [
      `video_size=${width}x${height}:pix_fmt=${format}:time_base=${num}/${den}`,
      `pixel_aspect=${aspect.num}/${Math.max(1, aspect.den)}`,
      `colorspace=${colorSpace}:range=${colorRange}`,
    ].join(':');
    if (this.#open && kind === this.#kind) return this.#open;
    this.#open?.graph.free();
    this.#open = undefined;
    const graph = new this.#library.FilterGraph();
    graph.alloc();
    // Rows may run from the bottom up, which only a copy ends; node-av's buffers cannot tell of them.
    const all = [`buffer@in=${kind}`, ...this.#filters, 'copy', 'buffersink@out'].join(',');
    const parsed = graph.parsePtr(all);
    const code = parsed < 0 ? parsed : await graph.config();
    const source = graph.getFilter('buffer@in');
    const sink = graph.getFilter('buffersink@out');
    if (code < 0 || !source || !sink) {
      graph.free();
      return Math.min(code, -1);
    }
    this.#kind = kind;
    this.#open = { graph, source, sink };
    return this.#open;
  }
}
