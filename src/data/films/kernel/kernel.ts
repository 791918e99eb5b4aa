/** What is computed of each frame in WebAssembly: memory in which frames are read, and functions over it. */
import { kernelBytes } from './bytes.ts';
import { type ColourFactors, planesLength } from './colours.ts';

/** What scripts/film-kernel/kernel.as exports; it has a line on each. All are places in its memory, and counts. */
interface KernelFunctions {
  setColours(black: number, luma: number, vr: number, ub: number, ug: number, vg: number): void;
  planesToRgb(frame: number, width: number, height: number, target: number): void;
  setSizes(
    eights: number,
    rows: number,
    places: number,
    weights: number,
    masks: number,
    table: number,
    last: number,
    result: number,
  ): void;
  measurePlanes(frame: number, width: number, height: number): void;
  measureRgb(frame: number, width: number): void;
}

// Types of Node's alone do not have it.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
  Memory: new (options: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
};

let compiled: object | undefined | null;

/** The module, compiled once; undefined where the processor or Node cannot run it. */
function kernelModule(): object | undefined {
  if (compiled === undefined)
    try {
      compiled = new WebAssembly.Module(Buffer.from(kernelBytes, 'base64'));
    } catch {
      compiled = null;
    }
  return compiled ?? undefined;
}

/** Reads and writes go a little beyond a frame. */
const margin = 64;
/** For what is kept beside frames: see `allocate`. */
const extra = 2 ** 20 + 4 * margin;
const pageSize = 2 ** 16;

/** Memory for the frames of one film, with the functions that work in it. */
export class FilmKernel {
  readonly run: KernelFunctions;
  /** All of its memory; it never grows. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** Where the frame that is read lies: planes or RGB. */
  readonly frame: number;
  readonly #rgb: number;
  #next: number;

  private constructor(module: object, width: number, height: number) {
    const rgbLength = 3 * width * height;
    const length = Math.max(rgbLength, planesLength(width, height)) + rgbLength + extra;
    const memory = new WebAssembly.Memory({ initial: Math.ceil(length / pageSize) });
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.run = exports as KernelFunctions;
    this.memory = new Uint8Array(memory.buffer);
    this.#next = margin;
    this.frame = this.allocate(Math.max(rgbLength, planesLength(width, height)) + margin);
    this.#rgb = this.allocate(rgbLength + margin);
  }

  /** For frames of this size; undefined where there is no WebAssembly with SIMD, or no memory for it. */
  static open(width: number, height: number): FilmKernel | undefined {
    const module = kernelModule();
    try {
      return module && new FilmKernel(module, width, height);
    } catch {
      return undefined;
    }
  }

  /** @returns the place of so many bytes, all 0, which stay as long as the kernel */
  allocate(length: number): number {
    const place = this.#next;
    this.#next += 16 * Math.ceil(length / 16);
    if (this.#next > this.memory.length) throw new RangeError('the kernel has no more memory');
    return place;
  }

  /** The planes that lie at `frame` as RGB, in memory that the next call overwrites. */
  toRgb(width: number, height: number, colours: ColourFactors): Uint8Array {
    this.setColours(colours);
    this.run.planesToRgb(this.frame, width, height, this.#rgb);
    return this.memory.subarray(this.#rgb, this.#rgb + 3 * width * height);
  }

  setColours({ black, luma, redOfV, blueOfU, greenOfU, greenOfV }: ColourFactors): void {
    this.run.setColours(black, luma, redOfV, blueOfU, greenOfU, greenOfV);
  }
}
