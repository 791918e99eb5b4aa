/**
 * The npm package node-av, FFmpeg's libraries for Node, where the user has installed it. Its binary is GPL, so that
 * nothing here has a part of it, nor needs it.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { InputError } from '../../../base/errors.ts';

/** The part of its interface that is used; numbers are FFmpeg's, and those below 0 its errors. */
export interface NodeAv {
  readonly FormatContext: new () => AvFormat;
  readonly CodecContext: new () => AvCodecContext;
  readonly Codec: { findDecoder(id: number): object | null };
  readonly Packet: new () => AvPacket;
  readonly Frame: {
    new (): AvFrame;
    fromVideoBuffer(
      buffer: Buffer,
      properties: { width: number; height: number; format: number },
    ): AvFrame;
  };
  readonly FilterGraph: new () => AvFilterGraph;
  readonly Filter: { getByName(name: string): object | null };
  readonly Dictionary: { fromObject(entries: Readonly<Record<string, string>>): object };
  readonly FFmpegError: {
    strerror(code: number): string;
    AVERROR(name: 'EAGAIN' | 'EACCES'): number;
  };
  readonly Log: {
    setLevel(level: number): void;
    /** Told of messages from whatever thread, a little later. */
    setCallback(
      callback: (level: number, message: string) => void,
      options: { maxLevel: number },
    ): void;
  };
  avGetPixFmtName(format: number): string | null;
  avGetPixFmtFromName(name: string): number;
  avImageCopyToBuffer(
    target: Buffer,
    size: number,
    planes: Buffer[] | null,
    rowLengths: number[] | null,
    format: number,
    width: number,
    height: number,
    align: number,
  ): number;
}

export interface AvRational {
  readonly num: number;
  readonly den: number;
}

export interface AvFormat {
  /** Microseconds. */
  readonly startTime: bigint;
  readonly duration: bigint;
  readonly iformat: { readonly flags: number } | null;
  readonly streams: AvStream[];
  openInput(url: string, format: null, options: object): Promise<number>;
  findStreamInfo(): Promise<number>;
  seekFile(stream: number, least: bigint, at: bigint, most: bigint, flags: number): Promise<number>;
  readFrame(packet: AvPacket): Promise<number>;
  /** Has what is waited for end. */
  interrupt(): void;
  closeInput(): Promise<void>;
}

export interface AvStream {
  readonly index: number;
  readonly codecpar: AvParameters;
  readonly timeBase: AvRational;
  readonly duration: bigint;
  readonly disposition: number;
  readonly sampleAspectRatio: AvRational;
  readonly rFrameRate: AvRational;
  readonly avgFrameRate: AvRational;
  discard: number;
}

export interface AvParameters {
  readonly codecType: number;
  readonly codecId: number;
  readonly format: number;
  readonly width: number;
  readonly height: number;
  readonly sampleAspectRatio: AvRational;
  readonly frameRate: AvRational;
  readonly colorTrc: number;
  readonly videoDelay: number;
  getCodedSideData(type: number): Buffer | null;
}

export interface AvCodecContext {
  pktTimebase: AvRational;
  threadCount: number;
  allocContext3(codec: object): void;
  parametersToContext(parameters: AvParameters): number;
  open2(codec: object, options: null): Promise<number>;
  sendPacket(packet: AvPacket | null): Promise<number>;
  receiveFrame(frame: AvFrame): Promise<number>;
  freeContext(): void;
}

export interface AvPacket {
  readonly streamIndex: number;
  alloc(): void;
  unref(): void;
  free(): void;
}

export interface AvFrame {
  readonly width: number;
  readonly height: number;
  readonly format: number;
  readonly bestEffortTimestamp: bigint;
  readonly sampleAspectRatio: AvRational;
  readonly colorSpace: number;
  readonly colorRange: number;
  readonly decodeErrorFlags: number;
  readonly data: Buffer[] | null;
  readonly linesize: number[];
  alloc(): void;
  unref(): void;
  free(): void;
}

export interface AvFilterGraph {
  alloc(): void;
  parsePtr(filters: string): number;
  config(): Promise<number>;
  getFilter(name: string): AvFilterContext | null;
  free(): void;
}

export interface AvFilterContext {
  buffersrcAddFrame(frame: AvFrame): Promise<number>;
  buffersinkGetFrame(frame: AvFrame): Promise<number>;
}

/** What to do where the package is missing. */
export const howToAdd =
  'install the package beside refcap (npm install --ignore-scripts node-av; its binary is under the GPL)';

const require = createRequire(import.meta.url);
const entry = 'node-av/lib';
/** FFmpeg's level of errors. */
const errorLevel = 16;
const listeners = new Set<(message: string) => void>();

/**
 * Listens to what FFmpeg calls errors. It does not say of which film it speaks: where several listen, none is told.
 * @returns what ends it
 */
export function listenToErrors(listener: (message: string) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the package is installed. */
export function isNodeAvThere(): boolean {
  try {
    require.resolve(entry);
    return true;
  } catch {
    return false;
  }
}

let loaded: Promise<NodeAv> | undefined;

/** Loads the package, once. @throws InputError where it is not installed, or has no binary for this machine */
export function loadNodeAv(): Promise<NodeAv> {
  if (!isNodeAvThere())
    return Promise.reject(
      new InputError(`the npm package node-av is not installed; ${howToAdd} and run again.`),
    );
  loaded ??= load();
  return loaded;
}

async function load(): Promise<NodeAv> {
  try {
    const library: NodeAv = await import(pathToFileURL(require.resolve(entry)).href);
    library.Log.setLevel(errorLevel);
    // Else it writes to the standard error.
    library.Log.setCallback(
      (_, message) => {
        if (listeners.size === 1) for (const tell of listeners) tell(message.trim());
      },
      { maxLevel: errorLevel },
    );
    return library;
  } catch (error) {
    const [why] = String(error instanceof Error ? error.message : error).split('\n');
    throw new InputError(
      `the npm package node-av is installed, but cannot be loaded (${why}); install it again with its binary for ${process.platform}-${process.arch}, or install ffmpeg.`,
    );
  }
}
