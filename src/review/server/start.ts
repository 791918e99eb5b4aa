/** The review page behind a port of this machine alone. */
import { randomBytes } from 'node:crypto';
import { InputError } from '../../base/errors.ts';
import { listen } from '../../server/listen.ts';
import { pageFolders, readPage } from '../../server/static-files.ts';
import { createReviewApp, type ReviewContext } from './app.ts';
import { PictureComparison } from './comparison.ts';

export interface ReviewServerOptions extends Omit<ReviewContext, 'token' | 'page' | 'comparison'> {
  /** 0: any that is free. */
  readonly port: number;
  readonly onFault: (error: unknown) => void;
}

export interface ReviewServer {
  /** With the token behind #, which browsers send to nobody. */
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws InputError when the port cannot be had, or the page was not built */
export async function startReviewServer(options: ReviewServerOptions): Promise<ReviewServer> {
  const page = await readPage(pageFolders, 'review.html');
  if (!page)
    throw new InputError('the review page is not built; run npm run build in the clone first.');
  const token = randomBytes(18).toString('base64url');
  const comparison = new PictureComparison(options.session, options.signal);
  const app = createReviewApp({ ...options, token, page, comparison }, options.onFault);
  const { port, close } = await listen((request) => app.fetch(request), '127.0.0.1', options.port);
  return {
    url: `http://127.0.0.1:${port}/#${token}`,
    stop: async () => {
      await close();
      await comparison.settled();
    },
  };
}
