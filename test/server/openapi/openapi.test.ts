/** The description of the server: all of it is there, it is what the server does, and the page needs nothing else. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operations } from '../../../src/server/openapi/operations.ts';
import { base64, json, testServer } from '../app.ts';

const documentSchema = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ operationId: z.string(), responses: z.looseObject({}) })),
  ),
});

async function description() {
  const { send } = testServer({ token: 'secret' });
  const response = await send('/openapi.json');
  expect(response.headers.get('content-type')).toBe('application/json');
  return documentSchema.parse(await response.json());
}

describe('GET /openapi.json', () => {
  it('describes every route, and no other', async () => {
    const { paths } = await description();
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const { app } = testServer();
    const routes = app.routes
      .filter(({ method, path }) => method !== 'ALL' && `${method} ${path}` !== 'GET /')
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)\{.*\}/, '{$1}')}`);
    expect(described.sort()).toEqual(routes.sort());
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has the limits of the schemas', async () => {
    const text = JSON.stringify((await description()).paths['/v1/captions']);
    expect(text).toContain(
      '"beams":{"description":"beams of beam search (1: greedy)","type":"integer","minimum":1,"maximum":16}',
    );
    expect(text).toContain('multipart/form-data');
    expect(text).not.toContain('$schema');
  });

  it('is kept to by the answers', async () => {
    const { send } = testServer();
    const asked: Record<string, unknown> = {
      '/v1/captions': { image: base64('a'), words: true },
      '/v1/chat/completions': {
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: base64('a') } }] },
        ],
      },
      '/api/v1/vision/caption': { images: [base64('a')] },
      '/': { inputs: base64('a') },
    };
    let checked = 0;
    for (const { method, path, answer, error } of operations) {
      const body = asked[path];
      if (answer && (method === 'get' || body)) {
        const response = await send(path, method === 'get' ? {} : json(body));
        answer.parse(await response.json());
        checked += 1;
      }
      if (error && method === 'post') {
        const response = await send(path.replace('{model}', 'refcap-small'), json([]));
        error.parse(await response.json());
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(12);
  });
});

describe('GET /docs', () => {
  it('is a page that shows each route and loads nothing', async () => {
    const { send } = testServer({ token: 'secret' });
    const index = await send('/');
    expect([index.status, index.headers.get('location')]).toEqual([302, '/docs']);
    const response = await send('/docs');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const text = await response.text();
    for (const { method, path } of operations)
      expect(text).toContain(`<code>${method.toUpperCase()} ${path}</code>`);
    expect(text).toContain('integer, 1 to 16');
    expect(text).toContain('<code>results.captions.words.logprob</code>');
    expect(text).not.toMatch(/ or <|<td><\/td>\n?<td>/);
    expect(text).not.toMatch(/<script|src=|https?:\/\//);
  });
});
