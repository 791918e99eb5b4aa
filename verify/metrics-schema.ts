/** The layouts of reference data for metrics, and how a file is told to be of one. */
import { z } from 'zod';

const tokens = z.object({ candidate: z.string(), references: z.array(z.string()) });
const rougeOfImage = z.object({
  per_reference_f: z.array(z.number()),
  max: z.object({ p: z.number(), r: z.number(), f: z.number() }),
  mean_f: z.number(),
});
const rougeOfCorpus = z.record(z.string(), z.number());
const kinds = <Schema extends z.ZodType>(schema: Schema) =>
  z.record(z.enum(['nostem', 'stem']), z.record(z.enum(['rouge1', 'rouge2', 'rougeL']), schema));

const item = z.object({
  id: z.union([z.string(), z.number()]),
  candidate: z.string(),
  references: z.array(z.string()),
  ptb: tokens,
  coco: z.record(z.string(), z.union([z.number(), z.string()])).default({}),
  rouge_score: kinds(rougeOfImage).optional(),
  nltk_meteor: z.record(z.string(), z.number()).optional(),
  sacrebleu_sentence: z.number().optional(),
});

const corpus = z.object({
  corpus: z
    .object({
      coco: z.record(z.string(), z.number()).default({}),
      rouge_score: kinds(rougeOfCorpus).optional(),
      nltk_meteor: z.record(z.string(), z.number()).optional(),
      sacrebleu_corpus: z
        .object({
          score: z.number(),
          precisions: z.array(z.number()),
          bp: z.number(),
          sys_len: z.number(),
          ref_len: z.number(),
        })
        .optional(),
      diversity_ptb_tokens: z.record(z.string(), z.number()).optional(),
    })
    .default({ coco: {} }),
  items: z.array(item),
});

/** Each layout by its name; a file is of the first one that it fits. */
export const layouts = {
  /** One corpus: captions, tokens, scores of every image and of the whole. */
  corpus,
  corpora: z.object({ corpora: z.array(corpus) }),
  /** The tokenizer's input, output, and output without punctuation. */
  ptb: z.object({
    items: z.array(z.object({ raw: z.string(), java: z.string(), coco: z.string() })),
  }),
  /** Word: [Snowball's English stem, NLTK's Porter stem]. */
  stems: z.object({ items: z.record(z.string(), z.tuple([z.string(), z.string()])) }),
  /** Published METEOR scores of raw segments. */
  meteor: z.object({
    items: z.array(
      z.object({
        source: z.string(),
        refs: z.array(z.array(z.string())),
        hyps: z.array(z.string()),
        METEOR: z.number(),
        needs_paraphrase_table: z.union([z.boolean(), z.string()]),
        without_table: z.number().optional(),
      }),
    ),
  }),
};

export type Item = z.infer<typeof item>;
export type Corpus = z.infer<typeof corpus>;
export type Layouts = { [Name in keyof typeof layouts]: z.infer<(typeof layouts)[Name]> };

/** What a file's JSON is, or why it is nothing known. */
export function recognise(
  json: unknown,
): { [Name in keyof Layouts]: { layout: Name; data: Layouts[Name] } }[keyof Layouts] | string {
  const fits = (keys: string[]) =>
    typeof json === 'object' && json !== null && keys.every((key) => key in json);
  if (fits(['corpora'])) return checked('corpora', json);
  if (!fits(['items'])) return 'has neither "items" nor "corpora"';
  const { items } = json as { items: unknown };
  if (!Array.isArray(items)) return checked('stems', json);
  const first: unknown = items[0];
  const has = (key: string) => typeof first === 'object' && first !== null && key in first;
  if (has('java')) return checked('ptb', json);
  if (has('hyps')) return checked('meteor', json);
  return checked('corpus', json);
}

function checked<Name extends keyof Layouts>(layout: Name, json: unknown) {
  const result = layouts[layout].safeParse(json);
  if (!result.success) return `is not of the layout "${layout}": ${z.prettifyError(result.error)}`;
  return { layout, data: result.data } as { [N in Name]: { layout: N; data: Layouts[N] } }[Name];
}
