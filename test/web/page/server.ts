/** The server with its page, over a captioner that makes its captions of the pictures' names. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../../src/base/errors.ts';
import type { CaptionOptions } from '../../../src/caption/options.ts';
import type { PreparedImage } from '../../../src/caption/prepare.ts';
import type { Caption, ImageCaption } from '../../../src/caption/result.ts';
import { createApp } from '../../../src/server/app.ts';
import type { CaptionModel } from '../../../src/server/captions/captioning.ts';
import type { ExplainModel } from '../../../src/server/captions/explaining.ts';
import { CaptionService } from '../../../src/server/captions/service.ts';
import { listen } from '../../../src/server/listen.ts';
import { ServerMetrics } from '../../../src/server/metrics.ts';
import { readPage } from '../../../src/server/static-files.ts';
import { repositoryRoot } from '../../paths.ts';
import { inventedExplanation } from '../../server/fake-captioner.ts';

type OnWord = Parameters<CaptionModel['captionPrepared']>[2];

/** dog-on-grass.jpg is captioned 'a picture of dog on grass'. */
export class NamingCaptioner implements CaptionModel {
  readonly workers = 1;
  readonly defaults = {};
  /** Milliseconds a word. */
  delay = 0;
  /** How much words depend on the picture, where that is asked for. */
  dependence: ReadonlyMap<string, number> = new Map();
  /** Names of pictures that cannot be read. */
  readonly broken = new Set<string>();
  /** Captions that were explained. */
  readonly explained: string[] = [];
  /** Requests that were stopped. */
  stopped = 0;
  /** Pictures at a time, at most. */
  most = 0;
  #running = 0;

  check(): void {}

  async prepare(_: unknown, { decode }: CaptionOptions = {}): Promise<PreparedImage> {
    const name = decode?.name ?? '';
    if (this.broken.has(name))
      throw new InputError(`${name}: this is no picture that can be read.`);
    return { pixels: Float32Array.from(Buffer.from(name)), width: 640, height: 480 };
  }

  async captionPrepared(
    images: readonly PreparedImage[],
    options: CaptionOptions = {},
    onWord?: OnWord,
  ): Promise<ImageCaption[]> {
    this.#running += images.length;
    this.most = Math.max(this.most, this.#running);
    try {
      return await Promise.all(images.map((image, i) => this.#write(image, options, i, onWord)));
    } catch (error) {
      if (options.signal?.aborted) this.stopped += 1;
      throw error;
    } finally {
      this.#running -= images.length;
    }
  }

  async #write(
    { pixels, width, height }: PreparedImage,
    { signal, num_return_sequences: count = 1, prompt, dependence: isAsked }: CaptionOptions,
    image: number,
    onWord: OnWord,
  ): Promise<ImageCaption> {
    const name = Buffer.from(Uint8Array.from(pixels)).toString();
    const written = ['a', 'picture', 'of', ...name.replace(/\.\w+$/, '').split('-')];
    const words = written.map((text, i) => {
      const dependence = isAsked ? this.dependence.get(text) : undefined;
      return { text, logprob: -0.1 * (i + 1), ...(dependence !== undefined && { dependence }) };
    });
    for (const word of words.slice(0, -1)) {
      await sleep(this.delay, undefined, signal && { signal });
      onWord?.(image, word);
    }
    const captions = Array.from({ length: count }, (_, i): Caption => {
      const text = [prompt, ...written, i > 0 ? `in words no ${i + 1}` : undefined];
      return {
        text: text.filter(Boolean).join(' '),
        ids: [],
        logprob: -2 - i,
        meanLogprob: Math.log(0.8) - i,
        words,
      };
    });
    return { caption: captions[0].text, captions, width, height };
  }
}

export interface PageServer {
  readonly address: string;
  readonly captioner: NamingCaptioner;
  close(): Promise<void>;
}

/** @param queue pictures that the server lets wait */
export async function servePage({
  token,
  queue = 64,
  port = 0,
}: {
  token?: string;
  queue?: number;
  port?: number;
} = {}): Promise<PageServer> {
  const captioner = new NamingCaptioner();
  const metrics = new ServerMetrics();
  const page = await readPage([join(repositoryRoot, 'dist/web')]);
  const onFault = (error: unknown): void => console.error(error);
  const explanations: ExplainModel = {
    check({ caption = '' }) {
      if (caption.includes('zyx')) throw new InputError("the model's vocabulary lacks 'zyx'.");
    },
    async explain(image, options) {
      const { signal, caption = '' } = options;
      await sleep(captioner.delay, undefined, signal && { signal });
      captioner.explained.push(caption);
      return inventedExplanation(caption, options, image);
    },
  };
  const service = new CaptionService(
    { captions: captioner, explanations },
    { maxBatch: 8, maxDelay: 1, queue, timeout: 60_000, maxPixels: 1e8, maxBytes: 1e8, onFault },
    metrics,
  );
  const app = createApp(
    {
      model: { name: 'refcap-small', size: 1, modified: new Date(0), imageSize: 224, endId: 102 },
      service,
      metrics,
      page,
      token,
      maxBody: 1e8,
      allowUrl: false,
      isLoopback: true,
      cors: [],
      log: () => undefined,
    },
    onFault,
  );
  const listening = await listen((request) => app.fetch(request), '127.0.0.1', port);
  return { ...listening, address: `http://127.0.0.1:${listening.port}`, captioner };
}
