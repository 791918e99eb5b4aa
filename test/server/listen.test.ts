/** The edge: a real port, clients that go away, and what a stop finishes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { listen } from '../../src/server/listen.ts';
import { base64, json, running } from './app.ts';

describe('a port', () => {
  it('stops the generation of clients that go away, streamed or not', async () => {
    const { url, captioner, log, close } = await running();
    captioner.delay = 50;
    for (const stream of [false, true]) {
      const leave = new AbortController();
      const init = { ...json({ image: base64('a'), stream }), signal: leave.signal };
      const lost = fetch(`${url}/v1/captions`, init).then((response) => response.text());
      await sleep(stream ? 120 : 60);
      leave.abort();
      await expect(lost).rejects.toThrow();
      await expect.poll(() => log.length).toBe(stream ? 2 : 1);
    }
    await expect.poll(() => captioner.stopped).toBe(2);
    expect(log.map(({ status }) => status)).toEqual([499, 499]);
    await close();
  });

  it('finishes what it has taken when it closes, and takes no more', async () => {
    const { url, port, captioner, send, service, close } = await running();
    captioner.delay = 40;
    const taken = async () => {
      const [, waiting] =
        /^refcap_queue_pictures (\d+)/m.exec(await (await send('/metrics')).text()) ?? [];
      return captioner.batches.flatMap(({ texts }) => texts).length + Number(waiting);
    };
    const plain = fetch(`${url}/v1/captions`, json({ image: base64('a') }));
    const stream = fetch(`${url}/v1/captions`, json({ image: base64('b'), stream: true }));
    await expect.poll(taken, { interval: 5 }).toBe(2);
    service.drain();
    const closed = close();
    // A connection of its own: fetch would take one that is there as soon as its request is answered.
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
    expect(await (await plain).json()).toMatchObject({ results: [{ caption: 'a of seed 0' }] });
    expect(await (await stream).text()).toContain('event: done');
    await closed;
  });

  it('refuses a body that is too large before it is sent, and stays up', async () => {
    const { url, port, close } = await running();
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /v1/captions HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 99999999\r\n\r\n',
    );
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    await close();
  });

  it('says in a sentence why it cannot be had', async () => {
    const { port, close } = await running();
    await expect(listen(async () => new Response(), '127.0.0.1', port)).rejects.toThrow(
      `--port ${port}: another program listens there`,
    );
    await expect(listen(async () => new Response(), '192.0.2.1', 0)).rejects.toThrow(
      '--host 192.0.2.1: this is no address of this machine',
    );
    await close();
  });
});
