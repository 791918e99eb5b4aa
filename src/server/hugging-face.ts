/** Hugging Face's image-to-text, as its servers answer it: a picture's bytes in, [{ generated_text }] out. */
import * as z from 'zod';
import type { GenerationFlags } from '../caption/command-options.ts';
import { ignoredFields, withIgnored } from './captions/instructions.ts';
import { type CaptionRequest, openJob } from './captions/job.ts';
import { pictureFromText } from './captions/pictures.ts';
import { captionedAll } from './captions/text.ts';
import type { RouteContext, ServerContext } from './context.ts';
import { parseJsonBody } from './http/body.ts';
import { validate } from './http/validate.ts';
import { checkModelName } from './model.ts';
import { coldest } from './native/schema.ts';

const count = z.int().min(0).max(1000).nullish();

const generationSchema = z.looseObject({
  temperature: z.number().min(coldest).nullish(),
  top_k: z.int().min(0).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  min_length: count,
  min_new_tokens: count,
  max_length: count,
  max_new_tokens: count,
  do_sample: z.boolean().nullish(),
  early_stopping: z.union([z.boolean(), z.literal('never')]).nullish(),
  num_beams: z.int().min(1).max(16).nullish(),
});

const parametersSchema = z.looseObject({
  max_new_tokens: count,
  generation_parameters: generationSchema.nullish(),
});

/** The JSON form; a picture's bytes as they are do as well. */
export const imageToTextSchema = z.looseObject({
  inputs: z.string().describe('base64 or a data URI'),
  parameters: parametersSchema.nullish(),
});

const imageToTextResultSchema = z.object({ generated_text: z.string() });

export const imageToTextAnswerSchema = z.union([
  z.array(imageToTextResultSchema),
  imageToTextResultSchema.describe('to @huggingface/inference'),
]);

/** The client for JavaScript reads what @huggingface/tasks describes, a result that is in no list. */
const takesOne = /^@huggingface\/inference\//;

interface ImageToTextRequest extends CaptionRequest {
  readonly ignored: readonly string[];
}

/** @param model the name in the path, where there is one */
export async function postImageToText(
  server: ServerContext,
  context: RouteContext,
  model: string | undefined,
): Promise<Response> {
  checkModelName(model, server.model);
  const isJson = context.req.header('content-type')?.startsWith('application/json') ?? false;
  const job = await openJob(server, context, (body) =>
    isJson ? fromJson(server, body) : fromBytes(body),
  );
  const captioned = await captionedAll(job.events, job.request.pictures.length);
  const results = captioned.map(({ result }) => ({ generated_text: result.caption }));
  const isOne = takesOne.test(context.req.header('user-agent') ?? '');
  const answer: z.infer<typeof imageToTextAnswerSchema> = isOne ? results[0] : results;
  return withIgnored(context.json(answer), job.request.ignored);
}

function fromBytes(body: Uint8Array): ImageToTextRequest {
  const pictures = body.length === 0 ? [] : [{ name: 'picture 1', source: body }];
  return { pictures, options: {}, ignored: [] };
}

function fromJson(server: ServerContext, body: Uint8Array): ImageToTextRequest {
  const asked = validate(imageToTextSchema, parseJsonBody(body));
  const {
    max_new_tokens: newTokens,
    generation_parameters: given,
    ...others
  } = asked.parameters ?? {};
  return {
    pictures: [pictureFromText(asked.inputs, 'picture 1', server.allowUrl)],
    options: flags({ max_new_tokens: newTokens, ...given }),
    ignored: [
      ...ignoredFields(asked, Object.keys(imageToTextSchema.shape), false),
      ...ignoredFields(others, [], false),
      ...ignoredFields(given ?? {}, Object.keys(generationSchema.shape), false),
    ],
  };
}

function flags(given: z.infer<typeof generationSchema>): GenerationFlags {
  return {
    beams: given.num_beams ?? undefined,
    sample: given.do_sample ?? undefined,
    temperature: given.temperature ?? undefined,
    topK: given.top_k ?? undefined,
    topP: given.top_p ?? undefined,
    minLength: given.min_length ?? undefined,
    minNewTokens: given.min_new_tokens ?? undefined,
    // 0 is no length that can be kept.
    maxLength: given.max_length || undefined,
    maxNewTokens: given.max_new_tokens || undefined,
    earlyStopping: given.early_stopping ?? undefined,
  };
}
