/** Pictures of the same size that come one after the other, each put over the one before. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface FrameInput {
  /** Puts the next picture in its place. @returns whether there was one */
  next(): Promise<boolean>;
  /** Ends it; what is to come is lost. */
  close(): void;
}

/** Pictures from a program's standard output. */
export class StreamFrames implements FrameInput {
  readonly #stream: Readable;
  readonly #target: Uint8Array;
  /** Bytes of the picture that are there. */
  #at = 0;
  /** What came and was not used yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #isOver = false;
  #wake = (): void => undefined;

  /** @param target where each picture is put; its length is that of a picture */
  constructor(stream: Readable, target: Uint8Array) {
    this.#stream = stream;
    this.#target = target;
    stream.on('data', (bytes: Uint8Array) => {
      this.#rest = bytes;
      this.#take();
      if (this.#isWhole()) this.#wake();
    });
    stream.on('close', () => {
      this.#isOver = true;
      this.#wake();
    });
    // How the program ended is told by its exit.
    stream.on('error', () => undefined);
    stream.pause();
  }

  async next(): Promise<boolean> {
    this.#at = 0;
    this.#take();
    if (this.#isWhole()) return true;
    this.#stream.resume();
    if (!this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#isWhole();
  }

  close(): void {
    this.#stream.destroy();
  }

  #isWhole(): boolean {
    return this.#at === this.#target.length;
  }

  #take(): void {
    const count = Math.min(this.#rest.length, this.#target.length - this.#at);
    this.#target.set(this.#rest.subarray(0, count), this.#at);
    this.#rest = this.#rest.subarray(count);
    this.#at += count;
    if (this.#isWhole()) this.#stream.pause();
  }
}

/**
 * Pictures through a socket of our own, which is read straight into their place: a program's standard output is read into
 * new memory every time, whose clearing away takes as long as what is done with the pictures.
 */
export class SocketFrames implements FrameInput {
  /** The other end, for the program: see `handOver`. */
  readonly far: Socket;
  readonly #near: Socket;
  readonly #state: SocketState;

  private constructor(near: Socket, far: Socket, state: SocketState) {
    this.#near = near;
    this.far = far;
    this.#state = state;
    const end = (): void => {
      state.isOver = true;
      state.wake();
    };
    near.on('end', end).on('close', end).on('error', end);
    far.on('error', () => undefined);
  }

  /** @returns undefined where a program cannot write into a socket, or none can be made */
  static async open(target: Uint8Array): Promise<SocketFrames | undefined> {
    if (process.platform === 'win32') return undefined;
    const folder = await mkdtemp(join(tmpdir(), 'refcap-frames-')).catch(() => undefined);
    if (folder === undefined) return undefined;
    const server = createServer({ pauseOnConnect: true });
    try {
      const path = join(folder, 'socket');
      server.listen(path);
      await once(server, 'listening');
      const state: SocketState = { isWhole: false, isOver: false, wake: () => undefined };
      const near = connect({ path, onread: readInto(target, state) });
      const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')]);
      return new SocketFrames(near, far, state);
    } catch {
      // The path may be too long for a socket.
      return undefined;
    } finally {
      server.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** To be called when the program has the other end. */
  handOver(): void {
    this.far.destroy();
  }

  async next(): Promise<boolean> {
    const state = this.#state;
    if (!state.isWhole && !state.isOver)
      await new Promise<void>((resolve) => {
        state.wake = resolve;
        this.#near.resume();
      });
    const { isWhole } = state;
    state.isWhole = false;
    return isWhole;
  }

  close(): void {
    this.#near.destroy();
    this.far.destroy();
  }
}

interface SocketState {
  isWhole: boolean;
  isOver: boolean;
  wake: () => void;
}

function readInto(target: Uint8Array, state: SocketState) {
  let at = 0;
  return {
    buffer: () => target.subarray(at),
    // Not to go on is said by false: the next picture is read when it is asked for.
    callback(count: number): boolean {
      at += count;
      if (at < target.length) return true;
      at = 0;
      state.isWhole = true;
      state.wake();
      return false;
    },
  };
}
