/** What a source of frames is: it finds the streams of a file, and gives the pictures of one. */
import type { ToldFrame } from './log.ts';

/** Names of what reads films, as `--decoder` takes them; where nobody says, the first that is there. */
export const decoderNames = ['ffmpeg', 'node-av'] as const;
export type DecoderName = (typeof decoderNames)[number];

/** A film that can be read. */
export interface Film {
  readonly path: string;
  /** What found it, and reads it. */
  readonly decoder: FilmDecoder;
  /** The stream's number among all of the file. */
  readonly stream: number;
  /** Pixels of a frame, turned upright. */
  readonly width: number;
  readonly height: number;
  /** How much wider than high a pixel is shown. */
  readonly pixelAspect: number;
  /** ffmpeg's name of how its pixels lie, such as yuv420p; undefined where it is not known. */
  readonly layout: string | undefined;
  /** Frames a second, as far as there is one rate. */
  readonly rate: number;
  /** Seconds; undefined where the file does not say. */
  readonly duration: number | undefined;
  /** The stream's time at which players show 0:00, in seconds. */
  readonly origin: number;
  /** What the file itself counts from, in seconds. */
  readonly formatStart: number;
  /** Whether its colours are of a high dynamic range. */
  readonly isHdr: boolean;
}

/** A stream of a file, in ffprobe's words. */
export interface FoundStream {
  readonly index: number;
  readonly codec_type?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly pix_fmt?: string | undefined;
  readonly sample_aspect_ratio?: string | undefined;
  readonly r_frame_rate?: string | undefined;
  readonly avg_frame_rate?: string | undefined;
  readonly duration?: number | undefined;
  readonly color_transfer?: string | undefined;
  readonly disposition?:
    | { readonly attached_pic?: number | undefined; readonly default?: number | undefined }
    | undefined;
  readonly tags?: { readonly rotate?: number | undefined } | undefined;
  readonly side_data_list?: readonly { readonly rotation?: number | undefined }[] | undefined;
}

/** A file's streams, and its own clock in seconds. */
export interface FoundFile {
  readonly streams: readonly FoundStream[];
  readonly format?:
    | { readonly start_time?: number | undefined; readonly duration?: number | undefined }
    | undefined;
}

/** How a film is to be read. */
export interface FeedOptions {
  /** How pixels lie in `target`, by ffmpeg's name. */
  readonly layout: string;
  /** Filters of ffmpeg's that lead there, from pictures that are upright. */
  readonly filters: readonly string[];
  /** Seconds from 0:00; what is before is left out. Undefined: all. */
  readonly start: number | undefined;
  /** Where each picture is put, without gaps between its rows. */
  readonly target: Uint8Array;
}

/** How a feed ended. */
export interface FeedEnd {
  /** Things that went wrong on the way. */
  readonly errors: number;
  /** The last of them, or nothing. */
  readonly lastError: string;
  /** Whether it ended before the film did. */
  readonly hasFailed: boolean;
}

/** The pictures of a film that is being read. */
export interface FrameFeed {
  /**
   * Puts the next picture in its place.
   * @param index its number, and `rate` frames a second, for pictures that have no time
   * @returns undefined where there is none
   */
  next(index: number, rate: number): Promise<ToldFrame | undefined>;
  /** Has `next` end soon, though it be waited for. */
  stop(): void;
  /** To be called after the last. @throws InputError where it could not be begun */
  finish(): Promise<FeedEnd>;
  /** Frees all; to be called however the reading ended. */
  close(): Promise<void>;
}

/** A source of frames; what all have in common is in probe.ts and frames.ts. */
export interface FilmDecoder {
  readonly name: DecoderName;
  /**
   * Looks at a file, and at nothing that it may refer to.
   * @param path any name of a file
   * @returns its streams, or why there are none
   * @throws the signal's reason when aborted
   */
  find(path: string, signal?: AbortSignal): Promise<FoundFile | { readonly failure: string }>;
  /** Whether it makes RGB of planes as the kernel does, and tells of each frame's colours. */
  convertsAlike(): Promise<boolean>;
  /** Whether it has a filter of ffmpeg's. */
  hasFilter(name: string): Promise<boolean>;
  open(film: Film, options: FeedOptions, signal?: AbortSignal): Promise<FrameFeed>;
}
