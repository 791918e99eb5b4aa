/** A server over a captioner that invents its captions, called without a port. */
import type { Hono } from 'hono';
import { createApp } from '../../src/server/app.ts';
import { CaptionService, type ServiceOptions } from '../../src/server/captions/service.ts';
import type { Env, ServerContext } from '../../src/server/context.ts';
import type { LogEntry } from '../../src/server/http/log.ts';
import { listen } from '../../src/server/listen.ts';
import { ServerMetrics } from '../../src/server/metrics.ts';
import { FakeCaptioner, FakeExplainer } from './fake-captioner.ts';

export interface TestServer {
  readonly app: Hono<Env>;
  readonly captioner: FakeCaptioner;
  readonly explainer: FakeExplainer;
  readonly service: CaptionService;
  readonly metrics: ServerMetrics;
  readonly log: LogEntry[];
  /** Errors whose reason no client was told. */
  readonly faults: unknown[];
  /** Sends a request to the server at this machine. */
  send(path: string, init?: RequestInit): Promise<Response>;
}

export function testServer(
  given: Partial<ServerContext> = {},
  options: Partial<ServiceOptions> = {},
  workers = 1,
): TestServer {
  const captioner = new FakeCaptioner(workers);
  const explainer = new FakeExplainer(captioner);
  const metrics = new ServerMetrics();
  const log: LogEntry[] = [];
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => {
    faults.push(error);
  };
  const all: ServiceOptions = {
    maxBatch: 4,
    maxDelay: 5,
    queue: 16,
    timeout: 10_000,
    maxPixels: 1000,
    maxBytes: 1000,
    onFault,
    ...options,
  };
  const service = new CaptionService(
    { captions: captioner, explanations: explainer },
    all,
    metrics,
  );
  const app = createApp(
    {
      model: {
        name: 'refcap-small',
        size: 49,
        modified: new Date(1e12),
        imageSize: 224,
        endId: 102,
      },
      service,
      metrics,
      maxBody: 10_000,
      allowUrl: false,
      isLoopback: true,
      token: undefined,
      cors: [],
      page: undefined,
      log: (entry) => log.push(entry),
      ...given,
    },
    onFault,
  );
  const send = async (path: string, init?: RequestInit): Promise<Response> =>
    app.request(`http://localhost:8080${path}`, init);
  return { app, captioner, explainer, service, metrics, log, faults, send };
}

/** A POST of JSON. */
export function json(value: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json', ...headers },
  };
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A test server behind a port. */
export async function running(...given: Parameters<typeof testServer>) {
  const server = testServer(...given);
  const { port, close } = await listen((request) => server.app.fetch(request), '127.0.0.1', 0);
  return { ...server, close, port, url: `http://127.0.0.1:${port}` };
}
