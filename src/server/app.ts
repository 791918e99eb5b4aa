/** The server: a function from Request to Response over a captioner. */
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { routePath } from 'hono/route';
import type { Env, RouteContext, ServerContext } from './context.ts';
import { eventStream, jsonLines } from './http/answers.ts';
import { answerErrors, authorized, guarded, safeHeaders } from './http/frame.ts';
import { postImageToText } from './hugging-face.ts';
import { postCaptions } from './native/captions.ts';
import { postExplanations } from './native/explanations.ts';
import { postOllama } from './ollama/generate.ts';
import { getTags, getVersion, postShow } from './ollama/tags.ts';
import { postChat } from './openai/chat.ts';
import { postResponses } from './openai/responses.ts';
import { openApiDocument } from './openapi/document.ts';
import { methodsOf } from './openapi/operations.ts';
import { docsResponse } from './openapi/page.ts';
import { postVision } from './photoprism.ts';
import { health, metricsPage } from './routes/health.ts';
import { listModels } from './routes/models.ts';
import { staticResponse } from './static-files.ts';

/** @param onFault told of errors whose reason no client is told */
export function createApp(server: ServerContext, onFault: (error: unknown) => void): Hono<Env> {
  const app = new Hono<Env>();
  app.use(watched(server));
  app.use(guarded({ ...server, hasToken: server.token !== undefined }));
  if (server.cors.length > 0)
    app.use(
      cors({
        origin: server.cors.includes('*') ? '*' : [...server.cors],
        exposeHeaders: ['refcap-ignored', 'retry-after'],
      }),
    );
  app.use(authorized(server.token, (method, path) => isOpen(method, path, server)));
  addRoutes(app, server);
  answerErrors(app, onFault, methodsOf);
  return app;
}

function addRoutes(app: Hono<Env>, server: ServerContext): void {
  app.post('/v1/captions', (context) => postCaptions(server, context));
  app.post('/v1/explanations', (context) => postExplanations(server, context));
  app.get('/v1/models', (context) => listModels(server, context));
  const openApi = JSON.stringify(openApiDocument(server.model.name));
  app.get('/openapi.json', (context) =>
    context.body(openApi, 200, { 'content-type': 'application/json' }),
  );
  app.get('/docs', () => docsResponse());
  // Where no page was built.
  if (!server.page?.has('/')) app.get('/', (context) => context.redirect('/docs'));
  app.post('/v1/chat/completions', (context) => postChat(server, context));
  app.post('/v1/responses', (context) => postResponses(server, context));
  app.post('/api/generate', (context) => postOllama(server, context, 'generate'));
  app.post('/api/chat', (context) => postOllama(server, context, 'chat'));
  app.get('/api/tags', (context) => getTags(server, context));
  app.post('/api/show', (context) => postShow(server, context));
  app.get('/api/version', getVersion);
  app.post('/api/v1/vision/caption', (context) => postVision(server, context));
  app.post('/models/:model{.+}', (context) =>
    postImageToText(server, context, context.req.param('model')),
  );
  app.post('/', (context) => postImageToText(server, context, undefined));
  app.get('/health/live', (context) => context.json({ status: 'live' }));
  app.get('/health/ready', (context) => health(server, context));
  app.get('/metrics', () => metricsPage(server));
  for (const [path, file] of server.page ?? []) app.get(path, () => staticResponse(file, path));
}

type Middleware = (context: RouteContext, next: () => Promise<void>) => Promise<void>;

/** Logs and measures each request when all of its answer is handed over. */
function watched({ log, metrics }: ServerContext): Middleware {
  return async (context, next) => {
    const time = new Date();
    const started = performance.now();
    await next();
    for (const [name, value] of Object.entries(safeHeaders)) context.header(name, value);
    const end = (status: number): void => {
      const ms = performance.now() - started;
      const { method, path } = context.req;
      const pictures = context.get('pictures');
      const route = routePath(context, -1);
      metrics.request(route === '*' || route === '/*' ? 'other' : route, status, ms);
      log({ time, method, path, status, ms, ...(pictures !== undefined && { pictures }) });
    };
    const { body, status, headers } = context.res;
    const type = headers.get('content-type') ?? '';
    if (!body || (!type.startsWith(eventStream) && !type.startsWith(jsonLines))) end(status);
    else
      context.res = new Response(
        told(body, (isWhole) => end(isWhole ? status : 499)),
        context.res,
      );
  };
}

/** The stream, which tells of its end: whole, or left by its reader. */
function told(
  body: ReadableStream<Uint8Array>,
  onEnd: (isWhole: boolean) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let isOver = false;
  const end = (isWhole: boolean): void => {
    if (!isOver) onEnd(isWhole);
    isOver = true;
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        end(true);
      } catch (error) {
        end(false);
        throw error;
      }
    },
    async cancel(reason) {
      end(false);
      await reader.cancel(reason);
    },
  });
}

const openPaths: ReadonlySet<string> = new Set(['/', '/docs', '/openapi.json']);

/** Everything but pages and the health of the server asks for the token, where there is one. */
function isOpen(method: string, path: string, { page }: ServerContext): boolean {
  return (
    path.startsWith('/health/') ||
    (method === 'GET' && (openPaths.has(path) || page?.has(path) === true))
  );
}
