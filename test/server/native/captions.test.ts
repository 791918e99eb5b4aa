/** POST /v1/captions: pictures in each of the forms, options, several candidates, words, streams, and errors. */
import { describe, expect, it } from 'vitest';
import {
  captionAnswerSchema,
  captionEventSchema,
  doneEventSchema,
  errorAnswerSchema,
  errorEventSchema,
  wordEventSchema,
} from '../../../src/server/native/schema.ts';
import { base64, json, testServer } from '../app.ts';

async function captions(response: Response): Promise<string[]> {
  expect(response.status).toBe(200);
  const { results } = captionAnswerSchema.strict().parse(await response.json());
  return results.map((one) => ('error' in one ? one.error.message : one.caption));
}

async function failure(response: Response): Promise<[number, string]> {
  const { error } = errorAnswerSchema.strict().parse(await response.json());
  expect(error.code).toBe(response.status);
  return [response.status, error.message];
}

/** The events of a stream: their names, and their data. */
async function events(response: Response): Promise<[string, unknown][]> {
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const text = await response.text();
  return text
    .trimEnd()
    .split('\n\n')
    .map((event): [string, unknown] => {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
      return [name, JSON.parse(data)];
    });
}

function form(
  fields: Record<string, string | string[]>,
  ...files: [string, string][]
): RequestInit {
  const body = new FormData();
  for (const [name, values] of Object.entries(fields))
    for (const value of [values].flat()) body.append(name, value);
  for (const [name, text] of files) body.append('image', new Blob([text]), name);
  return { method: 'POST', body };
}

const bytes = (text: string, type = 'image/jpeg'): RequestInit => ({
  method: 'POST',
  body: text,
  headers: { 'content-type': type },
});

describe('POST /v1/captions', () => {
  it('takes JSON, forms and bytes', async () => {
    const { send } = testServer();
    const one = json({ image: base64('a cat') });
    expect(await captions(await send('/v1/captions', one))).toEqual(['a cat of seed 0']);
    const uri = `data:image/png;base64,${base64('a cat')}`;
    const two = json({ images: [base64('a dog'), uri], seed: 3 });
    expect(await captions(await send('/v1/captions', two))).toEqual([
      'a dog of seed 3',
      'a cat of seed 3',
    ]);
    const files = form({ seed: '3' }, ['dog.jpg', 'a dog'], ['cat.jpg', 'a cat']);
    const answer = await send('/v1/captions', files);
    expect(await answer.clone().json()).toMatchObject({
      model: 'refcap-small',
      results: [{ name: 'dog.jpg' }, { name: 'cat.jpg' }],
    });
    expect(await captions(answer)).toEqual(['a dog of seed 3', 'a cat of seed 3']);
    for (const type of ['image/jpeg', 'application/octet-stream'])
      expect(await captions(await send('/v1/captions?seed=3', bytes('a cat', type)))).toEqual([
        'a cat of seed 3',
      ]);
  });

  it('takes options under the names of the command, however they are written', async () => {
    const given = { numCaptions: 2, maxNewTokens: 9, noRepeatNgram: 2, earlyStopping: 'never' };
    const options = { prefix: '3 dogs', ban: ['cat', '7'] };
    const expected = {
      num_beams: 2,
      num_return_sequences: 2,
      max_new_tokens: 9,
      no_repeat_ngram_size: 2,
      early_stopping: 'never',
      prompt: '3 dogs',
      bannedWords: ['cat', '7'],
    };
    const { send, captioner } = testServer();
    await send('/v1/captions', json({ image: base64('a'), ...given, ...options }));
    const kebab = 'num-captions=2&max-new-tokens=9&no-repeat-ngram=2&early-stopping=never';
    await send(`/v1/captions?${kebab}&prefix=3+dogs&ban=cat&ban=7`, bytes('a'));
    const texts = { num_captions: '2', max_new_tokens: '9', no_repeat_ngram: '2' };
    const more = { early_stopping: 'never', prefix: '3 dogs', ban: ['cat', '7'] };
    await send('/v1/captions', form({ ...texts, ...more }, ['a.jpg', 'a']));
    expect(captioner.batches.length).toBe(3);
    for (const batch of captioner.batches) expect(batch.options).toMatchObject(expected);
  });

  it('refuses an option of the query that is wrong, whatever the body says of it', async () => {
    const { send } = testServer();
    const bodies = [
      json({ image: base64('a'), beams: 2 }),
      form({ beams: '2' }, ['a.jpg', 'a']),
      bytes('a'),
    ];
    for (const body of bodies) {
      const [status, sentence] = await failure(await send('/v1/captions?beams=17', body));
      expect([status, sentence]).toEqual([400, expect.stringMatching(/^beams: /)]);
      const unknown = await failure(await send('/v1/captions?image=aGk%3D', body));
      expect(unknown).toEqual([400, expect.stringMatching(/^There is no option image; known: /)]);
    }
    const right = await send('/v1/captions?seed=4', json({ image: base64('a'), seed: 3 }));
    expect(await captions(right)).toEqual(['a of seed 3']);
  });

  it('gives candidates, and words to whom asks for them', async () => {
    const { send } = testServer();
    const plain = await send('/v1/captions', json({ image: base64('a'), numCaptions: 2 }));
    const { results } = captionAnswerSchema.parse(await plain.json());
    const one = { text: 'a of seed 0', logprob: -1, meanLogprob: -0.5 };
    expect(results).toMatchObject([{ captions: [one, one] }]);
    expect(JSON.stringify(results)).not.toContain('words');
    const withWords = await send('/v1/captions', json({ image: base64('a'), words: true }));
    expect(await withWords.json()).toMatchObject({
      results: [{ captions: [{ words: [{ text: 'a', logprob: 0 }, { text: 'of' }, {}, {}] }] }],
    });
    const withDependence = await send(
      '/v1/captions',
      json({ image: base64('a'), words: 'dependence' }),
    );
    expect(captionAnswerSchema.strict().parse(await withDependence.json())).toMatchObject({
      results: [{ captions: [{ words: [{ dependence: 0 }, { dependence: 1 }, {}, {}] }] }],
    });
    const streamed = await events(
      await send('/v1/captions?words=dependence&stream=true', bytes('a')),
    );
    for (const [name, data] of streamed) if (name === 'word') wordEventSchema.strict().parse(data);
    expect(streamed.find(([name]) => name === 'caption')?.[1]).toMatchObject({
      captions: [{ words: [{ dependence: 0 }, {}, {}, {}] }],
    });
  });

  it('streams words, captions and errors, and then ends', async () => {
    const { send, log } = testServer();
    const images = [base64('a'), base64('bad')];
    const all = await events(await send('/v1/captions', json({ images, stream: true })));
    const strict = {
      word: wordEventSchema.strict(),
      caption: captionEventSchema.strict(),
      error: errorEventSchema.strict(),
      done: doneEventSchema.strict(),
    };
    for (const [name, data] of all)
      expect(
        Object.entries(strict)
          .find(([known]) => known === name)?.[1]
          .parse(data),
      ).toEqual(data);
    const words = all.filter(([name]) => name === 'word').map(([, data]) => data);
    expect(words.map((word) => wordEventSchema.parse(word).text)).toEqual(['a', 'of', 'seed', '0']);
    expect(all.find(([name]) => name === 'caption')?.[1]).toMatchObject({
      index: 0,
      name: 'picture 1',
      caption: 'a of seed 0',
    });
    expect(all.find(([name]) => name === 'error')?.[1]).toMatchObject({
      index: 1,
      error: { message: 'picture 2: this is no picture.', code: 422 },
    });
    expect(all.at(-1)).toEqual(['done', { model: 'refcap-small' }]);
    const accepting = bytes('a');
    const headers = { ...accepting.headers, accept: 'text/event-stream' };
    const again = await events(await send('/v1/captions', { ...accepting, headers }));
    expect(again.map(([name]) => name)).toEqual([
      'word',
      'word',
      'word',
      'word',
      'caption',
      'done',
    ]);
    expect(log.map(({ status, pictures }) => [status, pictures])).toEqual([
      [200, 2],
      [200, 1],
    ]);
  });

  it('stops when the reader of a stream leaves', async () => {
    const { send, captioner, log, service } = testServer();
    captioner.delay = 20;
    const { body } = await send('/v1/captions', json({ image: base64('a'), stream: true }));
    const reader = body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(() => captioner.stopped).toBe(1);
    expect(log.map(({ status }) => status)).toEqual([499]);
    expect(service.enter()).toBeDefined();
  });

  it('tells a picture that fails beside others, and fails with the only one', async () => {
    const { send } = testServer();
    const both = form({}, ['good.jpg', 'a'], ['x.jpg', 'bad']);
    expect(await captions(await send('/v1/captions', both))).toEqual([
      'a of seed 0',
      'x.jpg: this is no picture.',
    ]);
    for (const stream of ['false', 'true'])
      expect(await failure(await send(`/v1/captions?stream=${stream}`, bytes('bad')))).toEqual([
        422,
        'picture 1: this is no picture.',
      ]);
  });

  it.each<[string, RequestInit, number, RegExp]>([
    ['no JSON', { ...json({}), body: '{' }, 400, /^The body is not valid JSON/],
    ['no text', { ...json({}), body: new Uint8Array([0x22, 0xff, 0x22]) }, 400, /not valid JSON/],
    ['no object', json([1]), 400, /^The body is not a JSON object\.$/],
    ['no picture', json({ beams: 2 }), 400, /^There is no picture/],
    ['an empty body', bytes(''), 400, /^There is no picture/],
    ['an empty picture', json({ image: '' }), 400, /^picture 1: the picture is empty/],
    ['no base64', json({ images: ['QQ==', 'ä'] }), 400, /^picture 2: .*neither base64/],
    ['another data URI', json({ image: 'data:image/png,abc' }), 400, /not in base64/],
    ['an unknown option', json({ image: 'QQ==', beam: 3 }), 400, /no option beam; known: beams/],
    ['a wrong value', json({ image: 'QQ==', beams: 'x' }), 400, /^beams: .*number/],
    ['a large value', json({ image: 'QQ==', beams: 17 }), 400, /^beams: .*16/],
    [
      'a temperature of no numbers',
      json({ image: 'QQ==', temperature: 1e-9 }),
      400,
      /^temperature: /,
    ],
    [
      'a penalty of no numbers',
      json({ image: 'QQ==', lengthPenalty: 1e9 }),
      400,
      /^lengthPenalty: /,
    ],
    ['options that do not fit', json({ image: 'QQ==', beams: 13 }), 400, /bad luck/],
    ['an address', json({ image: 'http://127.0.0.1/a.jpg' }), 403, /--allow-url/],
    ['a type', bytes('a', 'text/plain'), 415, /text\/plain are not read/],
    ['no form', bytes('a', 'multipart/form-data; boundary=x'), 400, /not a whole form/],
    ['a large body', bytes('a'.repeat(10_001)), 413, /10,000 bytes/],
    ['too many', json({ images: Array(17).fill('QQ==') }), 413, /at most 16 pictures/],
  ])('refuses %s in a sentence', async (_, init, status, message) => {
    const { send, log, service } = testServer();
    expect(await failure(await send('/v1/captions', init))).toEqual([
      status,
      expect.stringMatching(message),
    ]);
    expect(log.map((entry) => entry.status)).toEqual([status]);
    // Its room is free again.
    for (let i = 0; i < 16; i++) service.enter();
  });

  it('refuses what has no room before it reads it, and says when to come again', async () => {
    const { send, service } = testServer({}, { queue: 1 });
    using _ = service.enter();
    const response = await send('/v1/captions', bytes('bad'));
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await failure(response)).toEqual([503, expect.stringMatching(/as much waiting/)]);
  });
});
