/** GET /health/ready and GET /metrics. */
import type { RouteContext, ServerContext } from '../context.ts';

/** 200 while requests are taken, 503 when the server shuts down. */
export function health({ service }: ServerContext, context: RouteContext): Response {
  return service.isReady
    ? context.json({ status: 'ready' })
    : context.json({ status: 'shutting down' }, 503);
}

export async function metricsPage({ metrics: { registry } }: ServerContext): Promise<Response> {
  return new Response(await registry.metrics(), {
    headers: { 'content-type': registry.contentType },
  });
}
