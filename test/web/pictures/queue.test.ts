/** The queue of pictures: their order, how many at a time, and what it waits for. */
import { describe, expect, it, vi } from 'vitest';
import { newPicture, type Picture } from '../../../web/src/pictures/picture.ts';
import { CaptionQueue, mostRequests, type SendPicture } from '../../../web/src/pictures/queue.ts';
import type { CaptionResult } from '../../../web/src/server/client.ts';
import { Busy, PictureError, TokenNeeded, Unreachable } from '../../../web/src/server/errors.ts';

const settings = { candidates: 1, beams: 1, prefix: '' };
const done: CaptionResult = { caption: 'a', captions: [], width: 1, height: 1, ms: 1 };

const pictures = (count: number): Picture[] =>
  Array.from({ length: count }, (_, i) => newPicture(`${i}.jpg`, new File([], `${i}.jpg`)));
const kinds = (all: readonly Picture[]) => all.map(({ state }) => state.value.kind);

/** A queue whose requests are answered by hand. */
function byHand() {
  const sent: Picture[] = [];
  const answers = new Map<Picture, PromiseWithResolvers<CaptionResult>>();
  const send: SendPicture = (picture, _, { signal }) => {
    sent.push(picture);
    const answer = withResolvers<CaptionResult>();
    signal.addEventListener('abort', () => answer.reject(signal.reason));
    answers.set(picture, answer);
    return answer.promise;
  };
  const queue = new CaptionQueue(send, () => settings);
  const settle = async (picture: Picture, error?: Error): Promise<void> => {
    const answer = answers.get(picture);
    if (error) answer?.reject(error);
    else answer?.resolve(done);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, sent, settle };
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe('CaptionQueue', () => {
  it('sends pictures in their order, and no more at a time than it may', async () => {
    const { queue, sent, settle } = byHand();
    const all = pictures(mostRequests + 3);
    queue.add(all);
    expect(sent).toEqual(all.slice(0, mostRequests));
    await settle(all[1]);
    expect(sent).toEqual(all.slice(0, mostRequests + 1));
    for (const picture of all) await settle(picture);
    expect(sent).toEqual(all);
    expect(new Set(kinds(all))).toEqual(new Set(['done']));
  });

  it('tells what went wrong with a picture, and goes on with the others', async () => {
    const { queue, sent, settle } = byHand();
    const all = pictures(mostRequests + 1);
    queue.add(all);
    await settle(all[0], new PictureError('It is torn.'));
    expect(all[0].state.value).toEqual({ kind: 'failed', message: 'It is torn.' });
    expect(sent).toHaveLength(mostRequests + 1);
    queue.add([all[0]]);
    await settle(all[1]);
    await settle(all[0]);
    expect(kinds(all.slice(0, 2))).toEqual(['done', 'done']);
  });

  it('cancels what waits and what is under way', async () => {
    const { queue, sent, settle } = byHand();
    const all = pictures(mostRequests + 2);
    queue.add(all);
    queue.cancel([all[0], all[mostRequests]]);
    await settle(all[1]);
    expect(kinds([all[0], all[mostRequests]])).toEqual(['cancelled', 'cancelled']);
    expect(sent).not.toContain(all[mostRequests]);
    expect(sent).toContain(all[mostRequests + 1]);
  });

  it('waits as long as a busy server asks for, and loses nothing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      const { queue, sent, settle } = byHand();
      const all = pictures(mostRequests + 1);
      queue.add(all);
      await settle(all[0], new Busy(7));
      await settle(all[1], new Busy(3));
      await settle(all[2]);
      expect(queue.hold.value).toBe('busy');
      vi.advanceTimersByTime(6999);
      expect(sent).toHaveLength(mostRequests);
      vi.advanceTimersByTime(1);
      expect(queue.hold.value).toBe('none');
      for (const picture of all) await settle(picture);
      expect(new Set(kinds(all))).toEqual(new Set(['done']));
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['token', new TokenNeeded()],
    ['unreachable', new Unreachable()],
  ] as const)('holds (%s) until it is told to go on', async (hold, error) => {
    const { queue, sent, settle } = byHand();
    const all = pictures(mostRequests + 1);
    queue.add(all);
    await settle(all[0], error);
    await settle(all[1]);
    expect(queue.hold.value).toBe(hold);
    expect(sent).toHaveLength(mostRequests);
    queue.resume();
    for (const picture of all) await settle(picture);
    expect(new Set(kinds(all))).toEqual(new Set(['done']));
  });
});
