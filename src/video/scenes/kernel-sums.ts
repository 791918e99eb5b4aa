/** What is measured of a frame, by the kernel: of the pixels alone that the small frame is made of. */
import type { VideoFrame } from '../../data/films/frames.ts';
import { FilmKernel } from '../../data/films/kernel/kernel.ts';
import { sampling, smallSize, wholeWeight } from './downscale.ts';

/** Sums over a small frame. */
export interface FrameSums {
  /** Absolute differences from the frame before, or from black. */
  readonly hue: number;
  readonly saturation: number;
  readonly value: number;
  /** All bytes. */
  readonly bytes: number;
  readonly pixels: number;
}

/** The kernel takes columns by eight. */
const together = 8;

/**
 * @param given the kernel in whose memory frames lie; frames that lie elsewhere are copied into one
 * @returns a function of one frame after the other; undefined where no kernel can run
 */
export function kernelSums(
  width: number,
  height: number,
  given: FilmKernel | undefined,
): ((frame: VideoFrame) => FrameSums) | undefined {
  const kernel = given ?? FilmKernel.open(width, height);
  if (!kernel) return undefined;
  const { run, memory, frame: at } = kernel;
  const small = smallSize(width, height);
  const result = layOut(kernel, width, height);
  const pixels = small.width * small.height;
  return (frame) => {
    const { place } = frame;
    result.fill(0);
    if (place?.kernel === kernel && place.colours) {
      kernel.setColours(place.colours);
      run.measurePlanes(at, width, height);
    } else {
      if (place?.kernel !== kernel) memory.set(frame.data, at);
      run.measureRgb(at, width);
    }
    const [hue, saturation, value, bytes] = result;
    return { hue, saturation, value, bytes, pixels };
  };
}

/** Puts the tables of a size into the kernel's memory. @returns where it writes its four sums */
function layOut(kernel: FilmKernel, width: number, height: number): Int32Array {
  const { run, memory } = kernel;
  const small = smallSize(width, height);
  const groups = Math.ceil(small.width / together);
  const places = kernel.allocate(groups * together * 4);
  const weights = kernel.allocate(groups * together * 4);
  const masks = kernel.allocate(groups * 16);
  const table = kernel.allocate(small.height * 12);
  const last = kernel.allocate(groups * 48 * small.height);
  const result = kernel.allocate(16);
  const columns = sampling(width, small.width, 1);
  const columnPlaces = new Int32Array(memory.buffer, places, groups * together);
  const columnWeights = new Int16Array(memory.buffer, weights, 2 * groups * together);
  columnPlaces.set(columns.first);
  for (const [i, weight] of columns.weight.entries()) {
    columnWeights[2 * i] = wholeWeight - weight;
    columnWeights[2 * i + 1] = weight;
    // Two neighbours share their chroma where the first is even.
    memory[masks + 2 * i] = 2 * (i % together);
    memory[masks + 2 * i + 1] = 2 * (i % together) + (columns.first[i] % 2);
  }
  const rows = sampling(height, small.height, 1);
  const rowTable = new Int32Array(memory.buffer, table, 3 * small.height);
  for (const [i, weight] of rows.weight.entries())
    rowTable.set([rows.first[i], rows.second[i], weight], 3 * i);
  run.setSizes(groups, small.height, places, weights, masks, table, last, result);
  return new Int32Array(memory.buffer, result, 4);
}
