/** The token that clients show as `Authorization: Bearer TOKEN`. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpError } from '../http/errors.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** What checks an Authorization header, in a time that tells nothing of the token. */
export function tokenCheck(token: string): (header: string | undefined) => void {
  const expected = digest(token);
  return (header) => {
    const [, given] = /^Bearer +(.+)$/i.exec(header?.trim() ?? '') ?? [];
    if (given === undefined)
      throw new HttpError(
        401,
        'This server asks for a token: send it as Authorization: Bearer TOKEN.',
      );
    if (!timingSafeEqual(digest(given), expected))
      throw new HttpError(401, 'This is not the token of this server.');
  };
}
