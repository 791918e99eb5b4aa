/** POST /api/v1/vision/caption, as PhotoPrism asks its vision service: docs.photoprism.app/developer-guide/vision */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { version } from '../base/version.ts';
import { confidenceOf } from '../confidence/shown.ts';
import { ignoredFields, withIgnored } from './captions/instructions.ts';
import { type CaptionRequest, openJob } from './captions/job.ts';
import { pictureFromText } from './captions/pictures.ts';
import { captionedAll } from './captions/text.ts';
import type { RouteContext, ServerContext } from './context.ts';
import { parseJsonBody } from './http/body.ts';
import { validate } from './http/validate.ts';

/** One picture, the first: PhotoPrism takes one caption. */
export const visionSchema = z.looseObject({
  id: z.string().nullish(),
  model: z.string().nullish().describe('not looked at: the server has one'),
  version: z.string().nullish(),
  images: z.array(z.string()).nullish().describe('data URIs'),
  url: z.string().nullish().describe('with --allow-url'),
  prompt: z.string().nullish(),
});

export const visionAnswerSchema = z.object({
  id: z.string(),
  code: z.number(),
  model: z.object({
    type: z.string(),
    name: z.string(),
    version: z.string(),
    resolution: z.number(),
  }),
  result: z.object({
    caption: z.object({
      text: z.string(),
      source: z.string(),
      confidence: z
        .number()
        .describe(
          "0 to 1: how likely the caption's main noun is right; of an uncalibrated model, a token's probability",
        ),
    }),
  }),
});

/** What PhotoPrism always sends, without meaning anything by it. */
const known = [...Object.keys(visionSchema.shape), 'suffix', 'stream'];

interface VisionRequest extends CaptionRequest {
  readonly id: string;
  readonly ignored: readonly string[];
}

export async function postVision(server: ServerContext, context: RouteContext): Promise<Response> {
  const job = await openJob(server, context, (body) => readVision(server, body));
  const [{ result }] = await captionedAll(job.events, 1);
  const { name, imageSize } = server.model;
  const [caption] = result.captions;
  const answer: z.infer<typeof visionAnswerSchema> = {
    id: job.request.id,
    code: 200,
    model: { type: 'caption', name, version: version(), resolution: imageSize },
    result: {
      caption: { text: caption.text, source: 'image', confidence: confidenceOf(caption) },
    },
  };
  return withIgnored(context.json(answer), job.request.ignored);
}

function readVision(server: ServerContext, body: Uint8Array): VisionRequest {
  const asked = validate(visionSchema, parseJsonBody(body));
  const [text] = [...(asked.images ?? []), ...(asked.url ? [asked.url] : [])];
  return {
    id: asked.id || randomUUID(),
    pictures: text === undefined ? [] : [pictureFromText(text, 'picture 1', server.allowUrl)],
    options: {},
    ignored: ignoredFields(asked, known, Boolean(asked.prompt)),
  };
}
