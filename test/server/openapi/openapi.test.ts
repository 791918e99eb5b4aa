/** The description of the server: all of it is there, it is what the server does, and the page needs nothing else. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exampleBodies } from '../../../src/server/openapi/examples.ts';
import { operations } from '../../../src/server/openapi/operations.ts';
import { json, testServer } from '../app.ts';

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
    const asked = exampleBodies('refcap-small');
    let checked = 0;
    for (const { method, path, answer, error } of operations) {
      const init = method === 'get' ? {} : json(asked[path]);
      const response = await send(path.replace('{model}', 'refcap-small'), init);
      expect(response.status, path).toBe(200);
      if (answer) {
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

describe('a method that a path does not take', () => {
  it.each([
    ['DELETE', '/v1/captions', 'POST'],
    ['PUT', '/v1/models', 'GET, HEAD'],
    ['GET', '/models/owner/name', 'POST'],
    ['PATCH', '/', 'GET, HEAD, POST'],
  ])('is told: %s %s', async (method, path, allowed) => {
    const { send } = testServer();
    const response = await send(path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allowed]);
    expect(await response.text()).toContain(`There is no ${method} of ${path}; it takes `);
  });

  it('is nothing to paths that are not there', async () => {
    const { send } = testServer();
    for (const path of ['/v1/caption', '/openapixjson', '/models/'])
      expect((await send(path, { method: 'PUT' })).status).toBe(404);
  });
});

describe('GET /docs', () => {
  it('is a page that shows each route and loads nothing', async () => {
    const { send } = testServer({ token: 'secret' });
    const index = await send('/');
    expect([index.status, index.headers.get('location')]).toEqual([302, '/docs']);
    const response = await send('/docs');
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const text = await response.text();
    for (const { method, path } of operations)
      expect(text).toContain(`<code>${method.toUpperCase()} ${path}</code>`);
    expect(text).toContain('integer, 1 to 16');
    expect(text).toContain('<code>results.captions.words.logprob</code>');
    expect(text).not.toMatch(/ or <|<td><\/td>\n?<td>/);
    expect(text).not.toMatch(/<script|src=|https?:\/\//);
  });
});
