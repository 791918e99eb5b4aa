/** What servers with a page share: who may ask, and errors as answers. */
import type { Env, Hono, MiddlewareHandler } from 'hono';
import { type AddressRules, checkHost, checkOrigin } from '../safety/address.ts';
import { tokenCheck } from '../safety/token.ts';
import { errorResponse } from './answers.ts';
import { ClientGone, HttpError, toHttpError } from './errors.ts';

/** What the page of an answer may not be taken for, and what it tells of itself elsewhere. */
export const safeHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Lets in requests that name the server as the rules say, from its own pages. */
export function guarded(rules: AddressRules): MiddlewareHandler {
  return async ({ req }, next) => {
    const host = req.header('host') ?? new URL(req.url).host;
    checkHost(host, rules);
    checkOrigin(req.header('origin'), host, rules);
    await next();
  };
}

/**
 * Asks for the token, where there is one.
 * @param isOpen what is answered to everybody
 */
export function authorized(
  token: string | undefined,
  isOpen: (method: string, path: string) => boolean,
): MiddlewareHandler {
  const check = token === undefined ? undefined : tokenCheck(token);
  return async ({ req }, next) => {
    if (!isOpen(req.method, req.path)) check?.(req.header('authorization'));
    await next();
  };
}

/**
 * @param onFault told of errors whose reason no client is told
 * @param methodsOf how a path can be asked for, where it is one of the server's
 */
export function answerErrors<E extends Env>(
  app: Hono<E>,
  onFault: (error: unknown) => void,
  methodsOf: (path: string) => readonly string[] = () => [],
): void {
  app.notFound((context) => {
    const { method, path } = context.req;
    const allowed = methodsOf(path);
    if (allowed.length === 0)
      return errorResponse(new HttpError(404, `There is no ${method} ${path} here.`), path);
    const response = errorResponse(
      new HttpError(405, `There is no ${method} of ${path}; it takes ${allowed.join(' and ')}.`),
      path,
    );
    response.headers.set('allow', allowed.join(', '));
    return response;
  });
  app.onError((error, context) => {
    const { path } = context.req;
    // Nobody reads it; the log has the status.
    if (error instanceof ClientGone) return new Response(null, { status: 499 });
    const told = toHttpError(error, 400, 1);
    if (told.status === 500) onFault(error);
    return errorResponse(told, path);
  });
}
