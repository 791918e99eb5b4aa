/** A file opened by node-av, and its streams in ffprobe's words. */
import { demuxers } from '../command.ts';
import type { FoundFile, FoundStream } from '../decoder.ts';
import type { AvFormat, AvParameters, AvRational, AvStream, NodeAv } from './package.ts';
import { rotationOf } from './rotation.ts';

/** FFmpeg's AV_NOPTS_VALUE: no time. */
export const noTime: bigint = -(2n ** 63n);

const streamTypes: readonly (string | undefined)[] = ['video', 'audio', 'data', 'subtitle'];
/** Transfer functions of a high dynamic range, by FFmpeg's numbers. */
const transfers: Readonly<Record<number, string>> = { 16: 'smpte2084', 18: 'arib-std-b67' };
/** A kind of file that has no times. */
const hasNoTimes = 0x80;
const isDefault = 1;
const isCover = 1024;
/** The kind of side data that is a display matrix. */
const displayMatrix = 5;

/**
 * Opens a file, and nothing that it may refer to.
 * @returns the file, to be closed, or why it cannot be read
 * @throws the signal's reason when aborted
 */
export async function openAvFile(
  library: NodeAv,
  path: string,
  signal?: AbortSignal,
): Promise<AvFormat | { readonly failure: string }> {
  signal?.throwIfAborted();
  const file = new library.FormatContext();
  const stop = (): void => file.interrupt();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const options = library.Dictionary.fromObject({
      protocol_whitelist: 'file',
      format_whitelist: demuxers.join(','),
    });
    // With its protocol a name is a name, though it look like another protocol's address.
    let code = await file.openInput(`file:${path}`, null, options);
    if (code >= 0) code = await file.findStreamInfo();
    if (code >= 0 && !signal?.aborted) return file;
    await file.closeInput();
    signal?.throwIfAborted();
    return { failure: library.FFmpegError.strerror(code) };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** A file's streams. @returns or why there are none @throws the signal's reason when aborted */
export async function findStreams(
  library: NodeAv,
  path: string,
  signal?: AbortSignal,
): Promise<FoundFile | { readonly failure: string }> {
  const file = await openAvFile(library, path, signal);
  if ('failure' in file) return file;
  try {
    return {
      streams: file.streams.map((stream) => ({
        ...inWords(library, stream),
        ...((file.iformat?.flags ?? 0) & hasNoTimes && steadyRate(stream)),
      })),
      format: { start_time: seconds(file.startTime), duration: seconds(file.duration) },
    };
  } finally {
    await file.closeInput();
  }
}

function inWords(library: NodeAv, stream: AvStream): FoundStream {
  const { codecpar: parameters, disposition, timeBase } = stream;
  const { codecType } = parameters;
  const matrix = matrixOf(parameters);
  const own = stream.sampleAspectRatio;
  const aspect = own.num > 0 && own.den > 0 ? own : parameters.sampleAspectRatio;
  return {
    index: stream.index,
    codec_type: streamTypes[codecType],
    width: parameters.width,
    height: parameters.height,
    pix_fmt: (codecType === 0 && library.avGetPixFmtName(parameters.format)) || undefined,
    sample_aspect_ratio: ratio(aspect),
    r_frame_rate: ratio(stream.rFrameRate),
    avg_frame_rate: ratio(stream.avgFrameRate),
    duration:
      stream.duration > 0n ? Number(stream.duration) * (timeBase.num / timeBase.den) : undefined,
    color_transfer: transfers[parameters.colorTrc],
    disposition: {
      attached_pic: disposition & isCover ? 1 : 0,
      default: disposition & isDefault ? 1 : 0,
    },
    side_data_list: matrix ? [{ rotation: rotationOf(matrix) }] : [],
  };
}

/** Of files without times what the decoder was told is the rate; what is guessed may count fields. */
function steadyRate({ codecpar: { frameRate } }: AvStream): Pick<FoundStream, 'r_frame_rate'> {
  return frameRate.num > 0 ? { r_frame_rate: ratio(frameRate) } : {};
}

/** How a stream's pictures are turned and mirrored, where it says so. */
export function matrixOf(parameters: AvParameters): Int32Array | undefined {
  const bytes = parameters.getCodedSideData(displayMatrix);
  return bytes && bytes.length >= 36
    ? Int32Array.from({ length: 9 }, (_, i) => bytes.readInt32LE(4 * i))
    : undefined;
}

function ratio({ num, den }: AvRational): string {
  return `${num}/${den}`;
}

function seconds(microseconds: bigint): number | undefined {
  return microseconds === noTime ? undefined : Number(microseconds) / 1e6;
}
