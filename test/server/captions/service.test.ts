/** Captions for many requests at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThreadError } from '../../../src/base/threads/client.ts';
import { outcomes } from '../../../src/server/captions/job.ts';
import type { CaptionService } from '../../../src/server/captions/service.ts';
import { testServer } from '../app.ts';

const pictures = (...texts: string[]) =>
  texts.map((text) => ({ name: text, source: new Uint8Array(Buffer.from(text)) }));

const never = new AbortController().signal;

function ask(service: CaptionService, texts: string[], seed = 0, signal = never) {
  const ticket = service.enter();
  const events = service.caption(pictures(...texts), { seed }, { ticket, signal });
  return outcomes(events, texts.length);
}

const captionsOf = (all: Awaited<ReturnType<typeof ask>>) =>
  all.map((one) => (one.kind === 'done' ? one.result.caption : one.error.message));

describe('the service', () => {
  it('gives each request its own captions, whatever comes and goes beside it', async () => {
    const request = fc.record({
      texts: fc.array(fc.constantFrom('a', 'bb', 'ccc', 'bad'), { minLength: 1, maxLength: 3 }),
      seed: fc.nat(2),
      start: fc.nat(20),
      leaves: fc.option(fc.nat(20), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { maxLength: 12 }),
        fc.integer({ min: 1, max: 2 }),
        async (requests, workers) => {
          const { service, captioner, metrics } = testServer({}, { queue: 100 }, workers);
          captioner.delay = 1;
          await Promise.all(
            requests.map(async ({ texts, seed, start, leaves }) => {
              await sleep(start);
              const stop = new AbortController();
              if (leaves !== undefined) setTimeout(() => stop.abort(new Error('left')), leaves);
              const expected = texts.map((text) =>
                text === 'bad' ? 'bad: this is no picture.' : `${text} of seed ${seed}`,
              );
              const found = await ask(service, texts, seed, stop.signal).catch((error) => error);
              if (stop.signal.aborted && found instanceof Error) expect(found.message).toBe('left');
              else expect(captionsOf(found)).toEqual(expected);
            }),
          );
          expect(captioner.mostRunning).toBeLessThanOrEqual(workers);
          for (const { texts } of captioner.batches) expect(texts.length).toBeLessThanOrEqual(4);
          expect(await metrics.registry.getSingleMetricAsString('refcap_queue_pictures')).toMatch(
            / 0$/m,
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it('puts pictures of several requests into one batch, of the same options alone', async () => {
    const { service, captioner } = testServer();
    captioner.delay = 5;
    await Promise.all([
      ask(service, ['first']),
      ...['a', 'b', 'c', 'd'].map((text, i) => ask(service, [text], i === 2 ? 7 : 0)),
    ]);
    const batches = captioner.batches.map(({ texts, options: { seed } }) => [seed, ...texts]);
    expect(batches.filter(([seed]) => seed === 7)).toEqual([[7, 'c']]);
    expect(batches.length).toBeLessThan(5);
    expect(batches.flatMap(([, ...texts]) => texts).sort()).toEqual(['a', 'b', 'c', 'd', 'first']);
  });

  it('numbers the pictures of a request, so that drawing does not depend on its neighbours', async () => {
    const { service, captioner } = testServer();
    await Promise.all([ask(service, ['a', 'b']), ask(service, ['c'])]);
    const numbers = captioner.batches.flatMap(({ texts, options: { imageNumbers = [] } }) =>
      texts.map((text, i) => `${text}${imageNumbers[i]}`),
    );
    expect(numbers.sort()).toEqual(['a0', 'b1', 'c0']);
  });

  it('tells words as they come, also those of the same batch', async () => {
    const { service } = testServer();
    const words = async (text: string) => {
      const ticket = service.enter();
      const all: string[] = [];
      const events = service.caption(pictures(text), {}, { ticket, signal: never });
      for await (const event of events)
        all.push(event.kind === 'word' ? event.word.text : event.kind);
      return all;
    };
    expect(await Promise.all([words('x'), words('y')])).toEqual([
      ['x', 'of', 'seed', '0', 'done'],
      ['y', 'of', 'seed', '0', 'done'],
    ]);
  });

  it('says that a worker ended, to those whose work it had', async () => {
    const { service, captioner, faults } = testServer();
    captioner.delay = 10;
    captioner.failure = new ThreadError('the inference thread ended with exit code 1.');
    const [lost, kept] = await Promise.all([
      ask(service, ['a']),
      sleep(5).then(() => ask(service, ['b'])),
    ]);
    expect(lost).toMatchObject([{ kind: 'failed', error: { status: 500 } }]);
    expect(captionsOf(lost)[0]).toMatch(/replaced\. Send the request again/);
    expect(captionsOf(kept)).toEqual(['b of seed 0']);
    expect(faults).toMatchObject([{ name: 'ThreadError' }]);
  });

  it('tells no client of an unexpected error', async () => {
    const { service, captioner, faults } = testServer();
    captioner.failure = new Error('/home/somebody/secret is not there');
    expect(captionsOf(await ask(service, ['a']))).toEqual([
      'An unexpected error; the server logged it.',
    ]);
    expect(faults).toMatchObject([{ message: /secret/ }]);
  });

  it('refuses what its queue has no room for, and says when to try again', async () => {
    const { service, captioner } = testServer({}, { queue: 2 });
    captioner.delay = 20;
    const first = ask(service, ['a']);
    await sleep(10);
    const others = [ask(service, ['b']), ask(service, ['c'])];
    expect(() => service.enter()).toThrow(
      expect.objectContaining({ status: 503, retryAfter: expect.any(Number) }),
    );
    for (const one of [first, ...others]) expect(await one).toMatchObject([{ kind: 'done' }]);
    await expect(ask(service, ['a', 'b', 'c'])).rejects.toMatchObject({ status: 413 });
    expect(await ask(service, ['d'])).toMatchObject([{ kind: 'done' }]);
  });

  it('stops the batch of a client that goes away', async () => {
    const { service, captioner } = testServer();
    captioner.delay = 20;
    const stop = new AbortController();
    const lost = ask(service, ['a'], 0, stop.signal);
    await sleep(15);
    stop.abort(new Error('left'));
    await expect(lost).rejects.toThrow('left');
    await sleep(40);
    expect([captioner.stopped, captioner.running]).toEqual([1, 0]);
  });

  it('finishes what it has taken when it shuts down, and takes no more', async () => {
    const { service, captioner } = testServer();
    captioner.delay = 10;
    const taken = ask(service, ['a', 'b']);
    service.drain();
    expect(() => service.enter()).toThrow(expect.objectContaining({ status: 503 }));
    expect(captionsOf(await taken)).toEqual(['a of seed 0', 'b of seed 0']);
  });
});
