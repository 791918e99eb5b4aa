/** Reads POST /v1/captions: JSON, a form with files, or a picture's bytes. */

import type { Picture } from '../captions/events.ts';
import type { CaptionRequest } from '../captions/job.ts';
import { pictureFromText } from '../captions/pictures.ts';
import { parseJsonBody } from '../http/body.ts';
import { HttpError } from '../http/errors.ts';
import { validate } from '../http/validate.ts';
import { captionRequestSchema, optionNames, optionsSchema } from './schema.ts';

export interface NativeRequest extends CaptionRequest {
  readonly stream: boolean;
}

interface Received {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly query: URLSearchParams;
  readonly allowUrl: boolean;
}

/** @throws HttpError 400 or 415 in a sentence */
export async function readNativeRequest(received: Received): Promise<NativeRequest> {
  const [type] = received.contentType.toLowerCase().split(';');
  const query = optionsOfText(received.query);
  switch (type.trim()) {
    case 'application/json':
      return fromJson(received, query);
    case 'multipart/form-data':
      return fromForm(received, query);
    default:
      return fromBytes(received, type.trim(), query);
  }
}

function fromJson({ body, allowUrl }: Received, query: Options): NativeRequest {
  const { image, images, ...options } = validate(
    captionRequestSchema,
    { ...query, ...canonical(parseJsonBody(body)) },
    [...optionNames, 'image', 'images'],
  );
  const texts = [...(image === undefined ? [] : [image]), ...(images ?? [])];
  const pictures = texts.map((text, i) => pictureFromText(text, `picture ${i + 1}`, allowUrl));
  return request(pictures, options);
}

async function fromForm({ body, contentType }: Received, query: Options): Promise<NativeRequest> {
  const form = await new Response(body, { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => {
      throw new HttpError(400, 'The body is not a whole form (multipart/form-data).');
    });
  const pictures: Picture[] = [];
  const fields = new URLSearchParams();
  for (const [name, value] of form) {
    if (typeof value === 'string') fields.append(name, value);
    else
      pictures.push({
        name: value.name || `picture ${pictures.length + 1}`,
        source: new Uint8Array(await value.arrayBuffer()),
      });
  }
  return request(pictures, checked({ ...query, ...optionsOfText(fields) }));
}

function fromBytes({ body }: Received, type: string, query: Options): NativeRequest {
  if (type !== '' && type !== 'application/octet-stream' && !type.startsWith('image/'))
    throw new HttpError(
      415,
      `Bodies of type ${type} are not read: send application/json, multipart/form-data, or a picture's bytes as image/* or application/octet-stream.`,
    );
  const pictures = body.length === 0 ? [] : [{ name: 'picture 1', source: body }];
  return request(pictures, checked(query));
}

type Options = Readonly<Record<string, unknown>>;

function checked(options: Options): ReturnType<typeof validate<typeof optionsSchema>> {
  return validate(optionsSchema, options, optionNames);
}

function request(
  pictures: readonly Picture[],
  { stream = false, prefix, ...options }: ReturnType<typeof checked>,
): NativeRequest {
  return { pictures, options: { ...options, prompt: prefix }, stream };
}

/** Names as the command's (num-captions) or with underscores are taken for numCaptions. */
function canonical(value: unknown): Options {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HttpError(400, 'The body is not a JSON object.');
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      one,
    ]),
  );
}

const texts: ReadonlySet<string> = new Set(['prefix']);

/** Options of a query or form, where all values are texts: numbers and booleans as JSON writes them; `ban` may be repeated. */
function optionsOfText(fields: URLSearchParams): Options {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(canonical(Object.fromEntries(fields))))
    options[name] = texts.has(name) ? value : scalar(String(value));
  const banned = fields.getAll('ban');
  return banned.length > 0 ? { ...options, ban: banned } : options;
}

function scalar(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : text;
}
