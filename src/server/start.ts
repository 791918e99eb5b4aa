/** A captioner behind a port, until it is asked to stop. */
import type { Captioner } from '../caption/captioner.ts';
import { checkExplain, explainPrepared } from '../explain/explain.ts';
import { createApp } from './app.ts';
import type { ExplainModel } from './captions/explaining.ts';
import { CaptionService, type ServiceOptions } from './captions/service.ts';
import type { ServerContext } from './context.ts';
import { listen } from './listen.ts';
import { ServerMetrics } from './metrics.ts';
import { pageFolders, readPage } from './static-files.ts';

export interface ServerOptions
  extends Omit<ServiceOptions, 'onFault'>,
    Pick<
      ServerContext,
      'model' | 'maxBody' | 'allowUrl' | 'isLoopback' | 'token' | 'cors' | 'log'
    > {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly onFault: (error: unknown) => void;
}

export interface RunningServer {
  /** Such as http://127.0.0.1:8080. */
  readonly url: string;
  /** Whether there is a page at /. */
  readonly hasPage: boolean;
  /** Takes no new requests, finishes those that were taken, and is resolved then. */
  stop(): Promise<void>;
}

/** @throws InputError when the port cannot be had */
export async function startServer(
  captioner: Captioner,
  options: ServerOptions,
): Promise<RunningServer> {
  const metrics = new ServerMetrics();
  const service = new CaptionService(
    { captions: captioner, explanations: explanationsOf(captioner) },
    options,
    metrics,
  );
  const page = await readPage(pageFolders);
  const app = createApp({ ...options, service, metrics, page }, options.onFault);
  const { host, port, close } = await listen(
    (request) => app.fetch(request),
    options.host,
    options.port,
  );
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${port}`,
    hasPage: page !== undefined,
    stop: () => {
      service.drain();
      return close();
    },
  };
}

function explanationsOf(captioner: Captioner): ExplainModel {
  return {
    check: (options) => checkExplain(captioner, options),
    async explain(image, options) {
      const [explanation] = await explainPrepared(captioner, [image], options);
      return explanation;
    },
  };
}
