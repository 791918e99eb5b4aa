/** Ollama's requests, as far as they concern captions: https://github.com/ollama/ollama/blob/main/docs/api.md */
import * as z from 'zod';

const optionsSchema = z.looseObject({
  temperature: z.number().min(0).nullish().describe('above 0: words are drawn by chance'),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  seed: z.int().nullish(),
  num_predict: z.int().nullish().describe('most tokens'),
});

const shared = {
  model: z.string(),
  stream: z.boolean().nullish().describe('lines of JSON; true where it is left out'),
  options: optionsSchema.nullish(),
};

const images = z.array(z.string()).nullish().describe('base64');

/** POST /api/generate: the pictures are captioned, a line each. */
export const generateSchema = z.looseObject({
  ...shared,
  prompt: z.string().nullish(),
  images,
});

const messageSchema = z.looseObject({ role: z.string(), content: z.string().nullish(), images });

/** POST /api/chat: the pictures of the last message that has some, likewise. */
export const chatSchema = z.looseObject({ ...shared, messages: z.array(messageSchema) });

/** POST /api/show. */
export const showSchema = z.looseObject({
  model: z.string().optional(),
  name: z.string().optional(),
});

export type OllamaOptions = z.infer<typeof optionsSchema>;

const generateFields: readonly string[] = Object.keys(generateSchema.shape);
const chatFields: readonly string[] = Object.keys(chatSchema.shape);
const optionFields: readonly string[] = Object.keys(optionsSchema.shape);
/** They are about memory and time, of which this server needs no advice. */
const harmless = ['keep_alive'];
export const known = {
  generate: [...generateFields, ...harmless],
  chat: [...chatFields, ...harmless],
  options: optionFields,
} as const;
