/** What the routes of a server share. */
import type { Context } from 'hono';
import type { CaptionService } from './captions/service.ts';
import type { LogEntry } from './http/log.ts';
import type { ServerMetrics } from './metrics.ts';
import type { ServedModel } from './model.ts';
import type { StaticFiles } from './static-files.ts';

export interface ServerContext {
  readonly model: ServedModel;
  readonly service: CaptionService;
  readonly metrics: ServerMetrics;
  /** Bytes of a request's body. */
  readonly maxBody: number;
  /** Whether pictures may be given by their address. */
  readonly allowUrl: boolean;
  /** The server can be reached from this machine alone. */
  readonly isLoopback: boolean;
  readonly token: string | undefined;
  /** Origins of pages elsewhere that may use the server. */
  readonly cors: readonly string[];
  /** The built page, where there is one. */
  readonly page: StaticFiles | undefined;
  readonly log: (entry: LogEntry) => void;
}

export interface Env {
  Variables: {
    /** Pictures of the request, for the log. */
    pictures: number;
  };
}

export type RouteContext = Context<Env>;
