/**
 * Pictures decoded and resized in a thread of their own. A process has one, as libvips has one text of errors (see
 * data/images/gate.ts), and it ends with its last user.
 */
import { ThreadClient } from '../../base/threads/client.ts';
import { threadModule } from '../../base/threads/module.ts';
import type { Preprocessing } from '../../data/images/preprocess.ts';
import type { DecodeOptions } from '../../data/images/rgb.ts';
import type { ImageSource, PreparedImage } from '../prepare.ts';
import type { PreparationThread } from './preparation-thread.ts';

let thread: ThreadClient<PreparationThread> | undefined;
let users = 0;

/** A use of the thread, until it is disposed. */
export class Preparation implements Disposable {
  #isOver = false;

  constructor() {
    users += 1;
    running();
  }

  /** @throws InputError when the picture cannot be read; the signal's reason when aborted */
  async prepare(
    image: ImageSource,
    preprocessing: Preprocessing,
    { signal, onWarning, ...options }: DecodeOptions,
  ): Promise<PreparedImage> {
    if (this.#isOver) throw disposed();
    const { own, transfer } = ownCopy(image);
    return running().call(
      'prepare',
      { image: own, preprocessing, options },
      { signal, onEvent: onWarning, transfer },
    );
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    users -= 1;
    if (users > 0) return;
    thread?.close(disposed());
    thread = undefined;
  }
}

/** The picture without what belongs to the caller: its bytes, but not the rest of the memory that they lie in. */
function ownCopy(image: ImageSource): { own: ImageSource; transfer: ArrayBuffer[] } {
  if (typeof image === 'string') return { own: image, transfer: [] };
  if (image instanceof Uint8Array) {
    const own = new Uint8Array(image);
    return { own, transfer: [own.buffer] };
  }
  const { width, height } = image;
  const data = new Uint8Array(image.data);
  return { own: { width, height, data }, transfer: [data.buffer] };
}

function disposed(): Error {
  return new Error('the captioner was disposed');
}

function running(): ThreadClient<PreparationThread> {
  if (!thread || thread.hasFailed)
    thread = new ThreadClient(threadModule('preparation-thread', import.meta.url), {
      name: 'preparation',
    });
  return thread;
}
