/** Reads pictures with options: JSON, a form with files, or a picture's bytes. */
import type * as z from 'zod';
import type { Picture } from '../captions/events.ts';
import type { PicturesRequest } from '../captions/job.ts';
import { pictureFromText } from '../captions/pictures.ts';
import type { RouteContext, ServerContext } from '../context.ts';
import { parseJsonBody } from '../http/body.ts';
import { HttpError } from '../http/errors.ts';
import { validate } from '../http/validate.ts';
import { pictureFields } from './schema.ts';

export interface NativeRequest<Options> extends PicturesRequest {
  readonly options: Options;
}

interface Received {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly allowUrl: boolean;
}

/**
 * @param schema the options that may stand beside the pictures, or in the query
 * @throws HttpError 400 or 415 in a sentence
 */
export async function readNativeRequest<Schema extends z.ZodObject>(
  { allowUrl }: Pick<ServerContext, 'allowUrl'>,
  { req }: RouteContext,
  body: Uint8Array<ArrayBuffer>,
  schema: Schema,
): Promise<NativeRequest<z.infer<Schema>>> {
  const contentType = req.header('content-type') ?? '';
  const type = contentType.toLowerCase().split(';')[0].trim();
  const { pictures, given } = await readParts({ body, contentType, allowUrl }, type);
  const names = Object.keys(schema.shape);
  const known = type === json ? [...names, ...Object.keys(pictureFields.shape)] : names;
  // By itself too: what the body says again is otherwise never looked at.
  const query = validate(schema, optionsOfText(new URL(req.url).searchParams), names);
  return { pictures, options: validate(schema, { ...query, ...given }, known) };
}

const json = 'application/json';

type Options = Readonly<Record<string, unknown>>;

/** The pictures of a body, and the options in it, which are not checked. */
interface Parts {
  readonly pictures: readonly Picture[];
  readonly given: Options;
}

async function readParts(received: Received, type: string): Promise<Parts> {
  switch (type) {
    case json:
      return fromJson(received);
    case 'multipart/form-data':
      return fromForm(received);
    default:
      return { pictures: fromBytes(received, type), given: {} };
  }
}

function fromJson({ body, allowUrl }: Received): Parts {
  const { image, images, ...given } = canonical(parseJsonBody(body));
  const found = validate(pictureFields, { image, images });
  const texts = [...(found.image === undefined ? [] : [found.image]), ...(found.images ?? [])];
  const pictures = texts.map((text, i) => pictureFromText(text, `picture ${i + 1}`, allowUrl));
  return { pictures, given };
}

async function fromForm({ body, contentType }: Received): Promise<Parts> {
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
  return { pictures, given: optionsOfText(fields) };
}

function fromBytes({ body }: Received, type: string): Picture[] {
  if (type !== '' && type !== 'application/octet-stream' && !type.startsWith('image/'))
    throw new HttpError(
      415,
      `Bodies of type ${type} are not read: send application/json, multipart/form-data, or a picture's bytes as image/* or application/octet-stream.`,
    );
  return body.length === 0 ? [] : [{ name: 'picture 1', source: body }];
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

/** Options that are texts, also where they look like numbers. */
const texts: ReadonlySet<string> = new Set(['prefix', 'caption']);

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
