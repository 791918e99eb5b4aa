/** One line a request, as text or JSON. */
import { plural } from '../../base/plural.ts';

export interface LogEntry {
  readonly time: Date;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** 499 where the client went away before the answer. */
  readonly status: number;
  /** Milliseconds until all of the answer was handed over. */
  readonly ms: number;
  /** Pictures that were asked for. */
  readonly pictures?: number;
}

export const logFormats = ['text', 'json', 'none'] as const;
export type LogFormat = (typeof logFormats)[number];

/** The line of a request. */
export const logLine: Readonly<Record<Exclude<LogFormat, 'none'>, (entry: LogEntry) => string>> = {
  text: ({ time, method, path, status, ms, pictures }) => {
    const count = pictures === undefined ? '' : ` ${plural(pictures, 'picture')}`;
    return `${time.toISOString()} ${method} ${path} ${status} ${ms.toFixed(1)} ms${count}`;
  },
  json: ({ time, ms, ...entry }) =>
    JSON.stringify({ time: time.toISOString(), ...entry, ms: Number(ms.toFixed(1)) }),
};
