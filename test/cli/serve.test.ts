/** `refcap serve`: the command, its port, its captions, and how it stops. */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceClient } from '@huggingface/inference';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../src/caption/captioner.ts';
import { repositoryRoot } from '../paths.ts';
import { loadServer } from './load-server.ts';
import { type ServerProcess, startServe, tiny } from './server-process.ts';
import { stopUnderLoad } from './stop-server.ts';

const picture = join(tiny, 'images/owl-1.png');
const folder = await mkdtemp(join(tmpdir(), 'refcap-serve-'));
const children: ChildProcess[] = [];
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function start(...flags: string[]): ServerProcess {
  const server = startServe(...flags);
  children.push(server.child);
  return server;
}

describe('refcap serve', () => {
  it("writes the captioner's captions, and finishes what it has taken when it is stopped", async () => {
    await writeFile(join(folder, 'token'), 'secret\n');
    const server = start('--token', join(folder, 'token'), '--log-format', 'json');
    const url = await server.url();
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    const body = await readFile(picture);
    const headers = { 'content-type': 'image/png', authorization: 'Bearer secret' };
    const ask = (query: string) =>
      fetch(`${url}/v1/captions?${query}`, { method: 'POST', body, headers });
    using captioner = await Captioner.load(tiny, { threads: 1 });
    const options = { num_beams: 3, num_return_sequences: 2, min_length: 12, max_length: 12 };
    const { captions } = await captioner.caption(picture, options);
    const query = 'beams=3&num-captions=2&min-length=12&max-length=12';
    expect(await (await ask(query)).json()).toMatchObject({
      model: 'tiny',
      results: [
        { captions: captions.map(({ text, logprob, score }) => ({ text, logprob, score })) },
      ],
    });
    const asked = Array.from({ length: 6 }, () => ask(query));
    const taken = async (): Promise<number> => {
      const text = await (await fetch(`${url}/metrics`, { headers })).text();
      const numbers = ['queue_pictures', 'batch_pictures_sum'].map((name) =>
        Number(new RegExp(`^refcap_${name} (\\d+)$`, 'm').exec(text)?.[1]),
      );
      return numbers.reduce((sum, one) => sum + one, 0);
    };
    await expect.poll(taken, { interval: 1 }).toBe(7);
    server.child.kill('SIGTERM');
    for (const answer of asked)
      expect(await (await answer).json()).toMatchObject({
        results: [{ caption: captions[0].text }],
      });
    expect(await server.ended).toBe(0);
    const logged = server.lines.slice(1).map((line) => JSON.parse(line));
    expect(logged.filter(({ status, pictures }) => status === 200 && pictures === 1).length).toBe(
      7,
    );
    expect(server.lines.join('\n')).not.toContain('secret');
  });

  it("captions a photo by the bundled model for OpenAI's, Ollama's and Hugging Face's own clients", async () => {
    const server = start('--model', 'refcap-small');
    const url = await server.url();
    const photo = join(repositoryRoot, 'samples/dog-on-grass.jpg');
    const bytes = new Uint8Array(await readFile(photo));
    const base64 = Buffer.from(bytes).toString('base64');
    using captioner = await Captioner.load('refcap-small', { threads: 1 });
    const { caption } = await captioner.caption(photo);
    expect(caption).toContain('dog');
    const model = 'refcap-small';
    const image_url = { url: `data:image/jpeg;base64,${base64}` };
    const content = [{ type: 'image_url' as const, image_url }];
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
    const chat = { model, messages: [{ role: 'user' as const, content }] };
    const { choices } = await openai.chat.completions.create(chat);
    expect(choices.map(({ message }) => message.content)).toEqual([caption]);
    const ollama = new Ollama({ host: url });
    const asked = { model, prompt: '', images: [base64] };
    expect(await ollama.generate({ ...asked, stream: false })).toMatchObject({ response: caption });
    const data = new Blob([bytes], { type: 'image/jpeg' });
    const hub = new InferenceClient();
    expect(await hub.imageToText({ data, endpointUrl: url })).toEqual({ generated_text: caption });
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  it.each<[string[], number, RegExp]>([
    [['--host', '0.0.0.0'], 2, /^refcap: --host 0\.0\.0\.0 .* add --token/],
    [['--token', ' '], 2, /^refcap: --token: the token is empty/],
    [['--port', '70000'], 2, /70000/],
    [['--host', '192.0.2.1', '--no-token'], 1, /^refcap: --host 192\.0\.2\.1: this is no address/],
  ])('refuses %j in a sentence', async (flags, code, message) => {
    const server = start(...flags);
    expect(await server.ended).toBe(code);
    expect(server.lines.at(0)).toMatch(message);
  });

  it('lives on when nobody reads its log any more', async () => {
    const server = start();
    const url = await server.url();
    server.child.stderr?.destroy();
    const body = await readFile(picture);
    for (let i = 0; i < 3; i++) {
      const init = { method: 'POST', body, headers: { 'content-type': 'image/png' } };
      expect((await fetch(`${url}/v1/captions`, init)).status).toBe(200);
    }
    const explained = await fetch(`${url}/v1/explanations?caption=an+owl`, {
      ...{ method: 'POST', body, headers: { 'content-type': 'image/png' } },
    });
    expect(await explained.json()).toMatchObject({
      results: [{ side: 3, words: [{ text: 'an' }, { text: 'owl' }] }],
    });
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  it.each([60, 250])('loses nothing when it is stopped after %d ms of load', async (moment) => {
    const { exitCode, logged, received, broken } = await stopUnderLoad(moment);
    expect({ exitCode, received, broken }).toEqual({ exitCode: 0, received: logged, broken: 0 });
  });

  it('answers each of many kinds of requests at once as it ought to be', async () => {
    const { exitCode, wrong, answered } = await loadServer({ seconds: 4, seed: 5, window: 2 });
    expect({ exitCode, wrong }).toEqual({ exitCode: 0, wrong: [] });
    expect(Object.keys(answered).length).toBeGreaterThan(2);
  });
});
