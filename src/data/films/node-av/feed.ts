/** The pictures of a film that node-av decodes: one is decoded while the one before is used. */
import { setImmediate } from 'node:timers/promises';
import { InputError } from '../../../base/errors.ts';
import type { FeedEnd, FeedOptions, Film, FrameFeed } from '../decoder.ts';
import { colourFactors } from '../kernel/colours.ts';
import type { ToldFrame } from '../log.ts';
import { matrixOf, noTime, openAvFile } from './file.ts';
import { FilterChain } from './filters.ts';
import {
  type AvCodecContext,
  type AvFormat,
  type AvFrame,
  type AvPacket,
  type AvStream,
  listenToErrors,
  type NodeAv,
} from './package.ts';
import { turningFilters } from './rotation.ts';

/** FFmpeg's AVERROR_EOF. */
const over = -541478725;
const discardAll = 48;
/** Turns of the event loop in which messages come. */
const turns = 5;
/** Errors behind a film's end after which no more frames are asked for. */
const mostLateErrors = 1000;
/** A kind of file whose parts are found by the time at which they are shown. */
const seeksByTime = 0x4000000;
const fullRange = 2;
/** Names of colour spaces by FFmpeg's numbers. */
const colourSpaces: readonly string[] = [
  ...['gbr', 'bt709', 'unknown', 'reserved', 'fcc', 'bt470bg', 'smpte170m', 'smpte240m'],
  ...['ycgco', 'bt2020nc', 'bt2020c', 'smpte2085', 'chroma-derived-nc', 'chroma-derived-c'],
  'ictcp',
];

/** What a feed holds of node-av's, to be freed. */
interface Parts {
  readonly file: AvFormat;
  readonly stream: AvStream;
  readonly codec: AvCodecContext;
  readonly packet: AvPacket;
  readonly frame: AvFrame;
  readonly chain: FilterChain;
  /** Whether pictures of the wanted layout go through no filter. */
  readonly isUpright: boolean;
}

interface Picture {
  readonly frame: AvFrame;
  /** Seconds of the stream's clock; undefined for a frame without. */
  readonly time: number | undefined;
  readonly space: string;
  readonly isFull: boolean;
}

export class NodeAvFeed implements FrameFeed {
  readonly #library: NodeAv;
  readonly #film: Film;
  readonly #options: FeedOptions;
  readonly #parts: Parts;
  /** The first time that is wanted, in units of the stream's clock. */
  readonly #from: number;
  readonly #again: number;
  readonly #errors: Errors;
  #ahead: Promise<Picture | undefined> | undefined;
  #isDraining = false;
  #isStopped = false;
  #lateErrors = 0;

  private constructor(
    library: NodeAv,
    film: Film,
    options: FeedOptions,
    parts: Parts,
    errors: Errors,
  ) {
    this.#errors = errors;
    this.#library = library;
    this.#film = film;
    this.#options = options;
    this.#parts = parts;
    this.#again = library.FFmpegError.AVERROR('EAGAIN');
    const { num, den } = parts.stream.timeBase;
    const { start } = options;
    this.#from =
      start === undefined
        ? Number.NEGATIVE_INFINITY
        : Math.round((microseconds(start + film.origin) * den) / (1e6 * num));
  }

  /** @throws InputError where the film cannot be begun; the signal's reason when aborted */
  static async open(
    library: NodeAv,
    film: Film,
    options: FeedOptions,
    signal?: AbortSignal,
  ): Promise<NodeAvFeed> {
    // Some of what is wrong is said at once.
    const errors = new Errors(library);
    try {
      const parts = await openParts(library, film, options, signal);
      return new NodeAvFeed(library, film, options, parts, errors);
    } catch (error) {
      errors.close();
      throw error;
    }
  }

  async next(index: number, rate: number): Promise<ToldFrame | undefined> {
    const picture = await (this.#ahead ?? this.#decode());
    this.#ahead = undefined;
    if (!picture || this.#isStopped) return undefined;
    this.#parts.chain.copy(picture.frame, this.#options.target);
    const { time = index / rate, space, isFull } = picture;
    this.#ahead = this.#decode();
    this.#ahead.catch(() => undefined);
    return { time, colours: colourFactors(space, isFull) };
  }

  stop(): void {
    this.#isStopped = true;
    this.#parts.file.interrupt();
  }

  async finish(): Promise<FeedEnd> {
    // What was said last may be on its way.
    for (let i = 0; i < turns; i++) await setImmediate();
    const { count, last } = this.#errors;
    return { errors: count, lastError: last, hasFailed: false };
  }

  async close(): Promise<void> {
    this.stop();
    this.#errors.close();
    // What is under way needs what is freed here.
    await this.#ahead?.catch(() => undefined);
    const { file, codec, packet, frame, chain } = this.#parts;
    chain.close();
    frame.free();
    packet.free();
    codec.freeContext();
    await file.closeInput();
  }

  /** The next picture that is wanted, as it is wanted. */
  async #decode(): Promise<Picture | undefined> {
    const { frame, stream, chain, isUpright } = this.#parts;
    const { width, height } = this.#film;
    while (await this.#receive()) {
      const at =
        frame.bestEffortTimestamp === noTime ? undefined : Number(frame.bestEffortTimestamp);
      if (this.#from !== Number.NEGATIVE_INFINITY && !(at !== undefined && at >= this.#from))
        continue;
      const layout = this.#library.avGetPixFmtName(frame.format) ?? '';
      const isAsWanted =
        isUpright &&
        layout === this.#options.layout &&
        frame.width === width &&
        frame.height === height &&
        frame.linesize.every((length) => length >= 0);
      // Filters take what they are given, so it is asked before.
      const told = {
        time: at === undefined ? undefined : at * (stream.timeBase.num / stream.timeBase.den),
        space: colourSpaces[frame.colorSpace] ?? 'unknown',
        isFull: frame.colorRange === fullRange || layout.startsWith('yuvj'),
      };
      const made = isAsWanted ? frame : await chain.run(frame);
      if (typeof made !== 'number') return { ...told, frame: made };
      this.#errors.note(made);
    }
    return undefined;
  }

  /** Decodes on to the next frame. @returns whether there is one */
  async #receive(): Promise<boolean> {
    const { codec, frame } = this.#parts;
    while (!this.#isStopped) {
      const code = await codec.receiveFrame(frame);
      if (code >= 0) {
        if (frame.decodeErrorFlags !== 0) this.#errors.note('a picture is damaged');
        return true;
      }
      if (code === over) return false;
      if (code !== this.#again) this.#errors.note(code);
      if (!this.#isDraining) await this.#send();
      else if (code === this.#again || ++this.#lateErrors > mostLateErrors) return false;
    }
    return false;
  }

  /** Gives the decoder what comes next in the file, or its end. */
  async #send(): Promise<void> {
    const { file, stream, codec, packet } = this.#parts;
    const code = await file.readFrame(packet);
    if (code === this.#again) return;
    if (code < 0) {
      if (code !== over) this.#errors.note(code);
      this.#isDraining = true;
      await codec.sendPacket(null);
      return;
    }
    const sent = packet.streamIndex === stream.index ? await codec.sendPacket(packet) : 0;
    packet.unref();
    if (sent < 0) this.#errors.note(sent);
  }
}

/** What goes wrong with one film. */
class Errors {
  count = 0;
  last = '';
  readonly #library: NodeAv;
  /** Ends it. */
  readonly close: () => void;

  constructor(library: NodeAv) {
    this.#library = library;
    this.close = listenToErrors((message) => {
      this.count += 1;
      this.last = message;
    });
  }

  /** Counts an error; its words are FFmpeg's own where it has said some. */
  note(error: number | string): void {
    this.count += 1;
    this.last ||= typeof error === 'string' ? error : this.#library.FFmpegError.strerror(error);
  }
}

/** @throws InputError where the film cannot be begun; the signal's reason when aborted */
async function openParts(
  library: NodeAv,
  film: Film,
  { start, filters }: FeedOptions,
  signal?: AbortSignal,
): Promise<Parts> {
  const file = await openAvFile(library, film.path, signal);
  const cannot = (why: string): InputError =>
    new InputError(`${film.path}: no frame could be read (node-av: ${why}).`);
  if ('failure' in file) throw cannot(file.failure);
  const codec = new library.CodecContext();
  try {
    const stream = file.streams.find(({ index }) => index === film.stream);
    const known = stream && library.Codec.findDecoder(stream.codecpar.codecId);
    if (!stream || !known) throw cannot('it has no decoder for this kind of film');
    for (const other of file.streams) if (other.index !== stream.index) other.discard = discardAll;
    codec.allocContext3(known);
    codec.parametersToContext(stream.codecpar);
    codec.pktTimebase = stream.timeBase;
    // As many as there are processors.
    codec.threadCount = 0;
    const code = await codec.open2(known, null);
    if (code < 0) throw cannot(library.FFmpegError.strerror(code));
    if (start !== undefined) await seek(file, start + film.origin);
    const turning = turningFilters(matrixOf(stream.codecpar));
    const chain = new FilterChain(library, [...turning, ...filters], stream.timeBase);
    const packet = new library.Packet();
    packet.alloc();
    const frame = new library.Frame();
    frame.alloc();
    const isUpright = turning.length === 0 && !film.isHdr;
    return { file, stream, codec, packet, frame, chain, isUpright };
  } catch (error) {
    codec.freeContext();
    await file.closeInput();
    throw error;
  }
}

/** To the last place from which a time can be decoded, as the program ffmpeg finds it; else reading begins where it is. */
async function seek(file: AvFormat, time: number): Promise<void> {
  const isByTime = ((file.iformat?.flags ?? 0) & seeksByTime) !== 0;
  const hasDelay = file.streams.some(({ codecpar }) => codecpar.videoDelay > 0);
  // Frames that are shown later may be decoded before.
  const early = !isByTime && hasDelay ? Math.floor(3e6 / 23) : 0;
  const at = BigInt(microseconds(time) - early);
  await file.seekFile(-1, noTime, at, at, 0);
}

function microseconds(seconds: number): number {
  return Math.round(seconds * 1e6);
}
