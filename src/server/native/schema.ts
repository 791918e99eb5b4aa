/** The requests and answers of the server's own interface. Pages import the types. */
import * as z from 'zod';
import { aboutDefault, methodNames } from '../../explain/methods/names.ts';

/** What a server lets one request ask for: each multiplies the work of a picture. */
const mostBeams = 16;
const mostCandidates = 16;
const mostBanned = 100;
const mostTokens = 1000;

/** Numbers beyond which scores are no numbers any more. */
export const coldest = 0.001;
const leastPenalty = 0.001;
const mostLengthPenalty = 100;

const tokens = z.int().min(0).max(mostTokens);

/** How captions are written: options of `refcap caption`, under the same names. */
const writingSchema = z.strictObject({
  beams: z.int().min(1).max(mostBeams).optional().describe('beams of beam search (1: greedy)'),
  minLength: tokens.optional().describe('fewest tokens'),
  maxLength: tokens.min(1).optional().describe('most tokens'),
  minNewTokens: tokens.optional().describe('fewest tokens after the prefix'),
  maxNewTokens: tokens.min(1).optional().describe('most tokens after the prefix'),
  lengthPenalty: z
    .number()
    .min(-mostLengthPenalty)
    .max(mostLengthPenalty)
    .optional()
    .describe('beam scores are divided by length to this power'),
  repetitionPenalty: z
    .number()
    .min(leastPenalty)
    .optional()
    .describe('above 1: words written before become less likely'),
  noRepeatNgram: tokens.optional().describe('no sequence of so many tokens comes twice'),
  earlyStopping: z
    .union([z.boolean(), z.literal('never')])
    .optional()
    .describe('end of beam search'),
  sample: z.boolean().optional().describe('draw words by chance'),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('draw from the words whose probabilities reach this sum'),
  topK: z.int().min(0).max(100_000).optional().describe('draw from so many best words'),
  temperature: z
    .number()
    .min(coldest)
    .optional()
    .describe('draw from probabilities to the power 1/temperature'),
  seed: z.int().min(0).optional().describe('seed of drawing'),
  prefix: z.string().max(1000).optional().describe('what every caption begins with'),
  ban: z
    .array(z.string().max(100))
    .max(mostBanned)
    .optional()
    .describe('words or phrases that must not be written'),
});

/** Options of POST /v1/captions. */
export const optionsSchema = writingSchema.extend({
  numCaptions: z.int().min(1).max(mostCandidates).optional().describe('captions of each picture'),
  words: z
    .union([z.boolean(), z.literal('dependence')])
    .optional()
    .describe("also give each word's log-probability; 'dependence': and its visual dependence"),
  stream: z
    .boolean()
    .optional()
    .describe('answer by server-sent events: each word as soon as it is whole'),
});

/** Options of POST /v1/explanations. */
export const explainOptionsSchema = writingSchema.extend({
  caption: z
    .string()
    .max(1000)
    .optional()
    .describe('what is explained of the one picture (default: what the model writes)'),
  method: z
    .enum(methodNames)
    .optional()
    .describe(`how words are explained (default: ${aboutDefault})`),
});

/** Pictures in JSON. */
export const pictureFields = z.strictObject({
  image: z
    .string()
    .optional()
    .describe('base64, a data URI, or (with --allow-url) an http(s) address'),
  images: z.array(z.string()).min(1).optional().describe('several pictures, likewise'),
});

/** The JSON body of POST /v1/captions. */
export const captionRequestSchema = optionsSchema.extend(pictureFields.shape);

/** The JSON body of POST /v1/explanations. */
export const explainRequestSchema = explainOptionsSchema.extend(pictureFields.shape);

export const wordSchema = z.object({
  text: z.string(),
  logprob: z.number().describe('natural log of its probability'),
});

const dependence = z
  .number()
  .describe('logprob less that with all image tokens at their mean: how much it needs the picture');

export const captionSchema = z.object({
  text: z.string(),
  logprob: z.number().describe('natural log of the probability of all that follows the prefix'),
  meanLogprob: z.number().describe('logprob over the number of tokens'),
  score: z.number().optional().describe('what beam search ranked by'),
  mainNoun: z.string().optional().describe('the noun that the caption is mainly about'),
  confidence: z
    .number()
    .optional()
    .describe('0 to 1: how likely people speak of the main noun; of calibrated models'),
  words: z
    .array(wordSchema.extend({ dependence: dependence.optional() }))
    .optional()
    .describe('with words'),
});

export const errorSchema = z.object({
  message: z.string().describe('one sentence'),
  type: z.string(),
  param: z.null(),
  code: z.number().describe('the HTTP status'),
});

export const errorAnswerSchema = z.object({ error: errorSchema });

export const captionedSchema = z.object({
  name: z.string().describe("the file's name, or 'picture 1'"),
  caption: z.string().describe("the best caption's text"),
  captions: z.array(captionSchema).describe('all candidates, the best first'),
  width: z.number(),
  height: z.number(),
  ms: z.number().describe('milliseconds from the arrival of the request'),
});

export const failedSchema = z.object({ name: z.string(), error: errorSchema });

/** The answer of POST /v1/captions: a result for each picture, in their order. */
export const captionAnswerSchema = z.object({
  model: z.string(),
  results: z.array(z.union([captionedSchema, failedSchema])),
});

export const explainedSchema = z.object({
  name: z.string().describe("the file's name, or 'picture 1'"),
  caption: z.string(),
  method: z.enum(methodNames),
  width: z.number(),
  height: z.number(),
  side: z.number().describe('cells a side of the maps'),
  words: z.array(
    wordSchema.extend({
      dependence,
      place: z.string().describe("where the map is high, such as 'upper left'"),
      map: z
        .array(z.array(z.number()))
        .describe('rows from the top: high where the picture speaks for the word'),
    }),
  ),
  ms: z.number().describe('milliseconds from the arrival of the request'),
});

/** The answer of POST /v1/explanations: a result for each picture, in their order. */
export const explanationAnswerSchema = z.object({
  model: z.string(),
  results: z.array(z.union([explainedSchema, failedSchema])),
});

/** Data of the server-sent events `word`, `caption`, `error` and `done`; `index` is the picture's place. */
export const wordEventSchema = wordSchema.extend({ index: z.number() });
export const captionEventSchema = captionedSchema.extend({ index: z.number() });
export const errorEventSchema = failedSchema.extend({ index: z.number() });
export const doneEventSchema = z.object({ model: z.string() });

export type ExplainRequestOptions = z.infer<typeof explainOptionsSchema>;
export type ExplainedAnswer = z.infer<typeof explainedSchema>;
export type ExplanationAnswer = z.infer<typeof explanationAnswerSchema>;
export type CaptionAnswer = z.infer<typeof captionAnswerSchema>;
export type CaptionedAnswer = z.infer<typeof captionedSchema>;
export type FailedAnswer = z.infer<typeof failedSchema>;
export type ErrorAnswer = z.infer<typeof errorAnswerSchema>;
export type WordEvent = z.infer<typeof wordEventSchema>;
export type CaptionEventData = z.infer<typeof captionEventSchema>;
export type ErrorEventData = z.infer<typeof errorEventSchema>;
export type DoneEventData = z.infer<typeof doneEventSchema>;
