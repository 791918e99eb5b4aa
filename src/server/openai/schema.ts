/** OpenAI's requests, as far as they concern captions: https://platform.openai.com/docs/api-reference */
import * as z from 'zod';

const partSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  image_url: z
    .union([z.string(), z.looseObject({ url: z.string() })])
    .optional()
    .describe('a data URI, or (with --allow-url) an http(s) address'),
});

const messageSchema = z.looseObject({
  role: z.string().optional(),
  content: z.union([z.string(), z.array(partSchema)]).nullish(),
});

export type Message = z.infer<typeof messageSchema>;

/** What both interfaces share. Fields that are not listed are ignored, which the answer's header tells. */
const shared = {
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish().describe('above 0: words are drawn by chance'),
  top_p: z.number().gt(0).max(1).nullish(),
};

/** POST /v1/chat/completions: the pictures of the last message that has some are captioned, a line each. */
export const chatSchema = z.looseObject({
  ...shared,
  messages: z.array(messageSchema).min(1),
  n: z.int().min(1).max(16).nullish().describe('captions'),
  seed: z.int().nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
});

/** POST /v1/responses, likewise. */
export const responsesSchema = z.looseObject({
  ...shared,
  input: z.union([z.string(), z.array(messageSchema)]),
  max_output_tokens: z.int().positive().nullish(),
});

export const chatFields: readonly string[] = Object.keys(chatSchema.shape);
export const responsesFields: readonly string[] = Object.keys(responsesSchema.shape);

export const chatAnswerSchema = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.number(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.number(),
      message: z.object({
        role: z.literal('assistant'),
        content: z.string(),
        refusal: z.null(),
      }),
      logprobs: z.null(),
      finish_reason: z.enum(['stop', 'length']),
    }),
  ),
  usage: z.object({
    prompt_tokens: z.number(),
    completion_tokens: z.number(),
    total_tokens: z.number(),
  }),
});

export type ChatAnswer = z.infer<typeof chatAnswerSchema>;
