/** Every request that the server answers, with the schemas that check it. */
import * as z from 'zod';
import { imageToTextAnswerSchema, imageToTextSchema } from '../hugging-face.ts';
import {
  captionAnswerSchema,
  captionRequestSchema,
  errorAnswerSchema,
  explainOptionsSchema,
  explainRequestSchema,
  explanationAnswerSchema,
  optionsSchema,
} from '../native/schema.ts';
import { generateSchema, chatSchema as ollamaChatSchema, showSchema } from '../ollama/schema.ts';
import { chatAnswerSchema, chatSchema, responsesSchema } from '../openai/schema.ts';
import { visionAnswerSchema, visionSchema } from '../photoprism.ts';

export interface Operation {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it. */
  readonly path: string;
  readonly group: 'refcap' | 'OpenAI' | 'Ollama' | 'PhotoPrism' | 'Hugging Face';
  readonly summary: string;
  /** The JSON body. */
  readonly body?: z.ZodType;
  /** Options in the query, or in the fields of a form. */
  readonly query?: z.ZodObject;
  /** Whether a form with files, and a picture's bytes, are taken as well. */
  readonly takes?: 'forms and bytes' | 'bytes';
  /** The type of a stream that may be asked for. */
  readonly stream?: 'text/event-stream' | 'application/x-ndjson';
  /** The JSON answer; absent: an object of that interface. */
  readonly answer?: z.ZodType;
  /** Where it is no JSON. */
  readonly answerType?: string;
  /** How errors are told; absent: it has none of its own. */
  readonly error?: z.ZodType;
  /** Whether it needs no token. */
  readonly isOpen?: boolean;
}

const textError = z.object({ error: z.string() });
const visionError = z.object({
  id: z.string(),
  code: z.number(),
  error: z.string(),
  result: z.object({}),
});
const status = z.object({ status: z.string() });
const modelList = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      id: z.string(),
      object: z.literal('model'),
      created: z.number(),
      owned_by: z.string(),
      image_size: z.number().describe('pixels a side of what the model sees'),
      bytes: z.number(),
    }),
  ),
});

export const operations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/captions',
    group: 'refcap',
    summary: 'Captions for one or several pictures, at once or word by word',
    body: captionRequestSchema,
    query: optionsSchema,
    takes: 'forms and bytes',
    stream: 'text/event-stream',
    answer: captionAnswerSchema,
    error: errorAnswerSchema,
  },
  {
    method: 'post',
    path: '/v1/explanations',
    group: 'refcap',
    summary: 'Where each word of a caption comes from, and how much it depends on the picture',
    body: explainRequestSchema,
    query: explainOptionsSchema,
    takes: 'forms and bytes',
    answer: explanationAnswerSchema,
    error: errorAnswerSchema,
  },
  {
    method: 'get',
    path: '/v1/models',
    group: 'refcap',
    summary: "The model, in OpenAI's form",
    answer: modelList,
    error: errorAnswerSchema,
  },
  {
    method: 'get',
    path: '/health/live',
    group: 'refcap',
    summary: 'Whether the server runs',
    answer: status,
    error: errorAnswerSchema,
    isOpen: true,
  },
  {
    method: 'get',
    path: '/health/ready',
    group: 'refcap',
    summary: 'Whether it takes requests: 503 while it shuts down',
    answer: status,
    error: z.union([status, errorAnswerSchema]),
    isOpen: true,
  },
  {
    method: 'get',
    path: '/metrics',
    group: 'refcap',
    summary: 'Measurements for Prometheus',
    answerType: 'text/plain',
    error: errorAnswerSchema,
  },
  {
    method: 'get',
    path: '/openapi.json',
    group: 'refcap',
    summary: 'This description, for programs',
    error: errorAnswerSchema,
    isOpen: true,
  },
  {
    method: 'get',
    path: '/docs',
    group: 'refcap',
    summary: 'This description, for people',
    answerType: 'text/html',
    error: errorAnswerSchema,
    isOpen: true,
  },
  {
    method: 'post',
    path: '/v1/chat/completions',
    group: 'OpenAI',
    summary: 'The pictures of the last message that has some are captioned, a line each',
    body: chatSchema,
    stream: 'text/event-stream',
    answer: chatAnswerSchema,
    error: errorAnswerSchema,
  },
  {
    method: 'post',
    path: '/v1/responses',
    group: 'OpenAI',
    summary: 'The same as a response',
    body: responsesSchema,
    stream: 'text/event-stream',
    error: errorAnswerSchema,
  },
  {
    method: 'post',
    path: '/api/generate',
    group: 'Ollama',
    summary: 'The pictures are captioned, a line each',
    body: generateSchema,
    stream: 'application/x-ndjson',
    error: textError,
  },
  {
    method: 'post',
    path: '/api/chat',
    group: 'Ollama',
    summary: 'Those of the last message that has some, likewise',
    body: ollamaChatSchema,
    stream: 'application/x-ndjson',
    error: textError,
  },
  { method: 'get', path: '/api/tags', group: 'Ollama', summary: 'The model', error: textError },
  {
    method: 'post',
    path: '/api/show',
    group: 'Ollama',
    summary: 'What the model can do',
    body: showSchema,
    error: textError,
  },
  {
    method: 'get',
    path: '/api/version',
    group: 'Ollama',
    summary: "refcap's version",
    answer: z.object({ version: z.string() }),
    error: textError,
  },
  {
    method: 'post',
    path: '/api/v1/vision/caption',
    group: 'PhotoPrism',
    summary: 'A caption of the first picture',
    body: visionSchema,
    answer: visionAnswerSchema,
    error: visionError,
  },
  {
    method: 'post',
    path: '/models/{model}',
    group: 'Hugging Face',
    summary: 'Image to text',
    body: imageToTextSchema,
    takes: 'bytes',
    answer: imageToTextAnswerSchema,
    error: textError,
  },
  {
    method: 'post',
    path: '/',
    group: 'Hugging Face',
    summary: 'Image to text, as an endpoint of one model has it',
    body: imageToTextSchema,
    takes: 'bytes',
    answer: imageToTextAnswerSchema,
    error: textError,
  },
];

/** The methods that a path takes, such as GET and HEAD; none of a path that is not there. */
export function methodsOf(path: string): string[] {
  const found = operations.filter((one) => pattern(one.path).test(path));
  // The page, or where none was built the way to /docs.
  const methods = [...(path === '/' ? ['get'] : []), ...found.map(({ method }) => method)];
  return methods.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : ['POST']));
}

/** `/models/{model}`, where the name may have parts. */
function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/, '.+')}$`);
}
