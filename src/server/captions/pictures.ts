/** Pictures as JSON has them: base64, a data URI, or an address. */
import { HttpError } from '../http/errors.ts';
import type { Picture } from './events.ts';

/**
 * The picture that a text stands for. SVG is no bitmap and stays refused, as by the command.
 * @param name how messages and answers call it
 * @throws HttpError 400 where it is none of these; 403 for an address without `allowUrl`
 */
export function pictureFromText(text: string, name: string, allowUrl: boolean): Picture {
  if (/^https?:/i.test(text)) {
    if (!allowUrl)
      throw new HttpError(
        403,
        `${name}: the server fetches no addresses (it was started without --allow-url); send the picture itself.`,
      );
    if (!URL.canParse(text)) throw new HttpError(400, `${name}: this is not an address.`);
    return { name, source: new URL(text) };
  }
  return { name, source: decodeBase64(text, name) };
}

function decodeBase64(text: string, name: string): Uint8Array {
  const [, data] = /^data:[^,]*?;base64,([\s\S]*)$/i.exec(text.slice(0, 200)) ?? [];
  if (data === undefined && /^data:/i.test(text))
    throw new HttpError(400, `${name}: this data URI is not in base64.`);
  const encoded = (data === undefined ? text : text.slice(text.indexOf(',') + 1)).trim();
  if (encoded === '') throw new HttpError(400, `${name}: the picture is empty.`);
  if (!/^[A-Za-z0-9+/_\-\r\n]+={0,2}$/.test(encoded))
    throw new HttpError(400, `${name}: this is neither base64 nor a data URI.`);
  return Buffer.from(encoded, 'base64');
}
