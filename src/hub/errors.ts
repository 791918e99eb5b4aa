/** What can go wrong with a model's name or its download, as sentences that say the way out. */
import { InputError } from '../base/errors.ts';

/** A model cannot be found or fetched. */
export class HubError extends InputError {
  override readonly name: string = 'HubError';
}

/** The hub cannot be reached or is broken: a cached copy may serve instead. */
export class HubUnreachableError extends HubError {
  override readonly name = 'HubUnreachableError';
}

/** The sentence for a hub's answer that is no success. */
export function describeResponse(
  response: { status: number; headers: Headers },
  what: { id: string; revision: string; endpoint: string; hasToken: boolean; file?: string },
): HubError {
  const { id, revision, endpoint, hasToken, file } = what;
  const code = response.headers.get('x-error-code') ?? '';
  const said = response.headers.get('x-error-message');
  const { status } = response;
  if (code === 'GatedRepo' || (status === 403 && code === ''))
    return new HubError(
      `${id} is gated or not open to this token: accept its conditions at ${endpoint}/${id} and set HF_TOKEN to a token that may read it.`,
    );
  if (code === 'RevisionNotFound') return new HubError(`${id} has no revision "${revision}".`);
  if (code === 'EntryNotFound' && file)
    return new HubError(`${id} has no file ${file} at revision ${revision}.`);
  if (status === 401 && hasToken)
    return new HubError(
      `${id} does not exist on ${endpoint}, or the token in use may not read it: check the name and HF_TOKEN.`,
    );
  if (status === 401 || status === 404)
    return new HubError(
      `${id} is no folder here and does not exist on ${endpoint}, or is private: check the name, or set HF_TOKEN.`,
    );
  if (status === 429)
    return new HubError(
      `${endpoint} refuses more requests for now (429): wait a minute, then run again.`,
    );
  const Kind = status >= 500 ? HubUnreachableError : HubError;
  return new Kind(
    `${endpoint} answers ${status} for ${file ? `${id}/${file}` : id}${said ? ` (${said})` : ''}; run again later.`,
  );
}

/** The sentence for a request that got no answer. */
export function describeNetworkError(endpoint: string, error: unknown): HubUnreachableError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  const reason = code ?? (cause instanceof Error ? cause.message : String(cause));
  return new HubUnreachableError(
    `${endpoint} cannot be reached (${reason}): check the connection, or give --model a folder.`,
  );
}
