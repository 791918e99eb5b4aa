/** A PEFT adapter's adapter_config.json: the fields that decide what its layers add, checked. */
import * as z from 'zod';
import { InputError } from '../../../base/errors.ts';

const pattern = z.record(z.string(), z.number()).nullish();

const schema = z.looseObject({
  peft_type: z.string().default('LORA'),
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(),
  r: z.int().positive().default(8),
  lora_alpha: z.number().default(8),
  use_rslora: z.boolean().nullish(),
  rank_pattern: pattern,
  alpha_pattern: pattern,
  bias: z.enum(['none', 'all', 'lora_only']).default('none'),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});

/** Of adapter_config.json; which modules are adapted is read from the tensors. */
export type AdapterConfig = z.infer<typeof schema>;

/** Kinds of LoRA that add something else than a product of two matrices. */
const refused = [
  'use_dora',
  'use_qalora',
  'use_bdlora',
  'lora_bias',
  'layer_replication',
  'trainable_token_indices',
  'target_parameters',
  'alora_invocation_tokens',
  'arrow_config',
  'kasa_config',
  'monteclora_config',
  'velora_config',
] as const;

/** Initialisations that take something away from the base's weights, which then is not the base any more. */
const changesBase = /^(pissa|olora|corda|loftq|lora_ga|mica)/;

/** What a person can do with an adapter that is not read. */
export const mergeInPython = 'merge it in Python (merge_and_unload) and name the merged model';

/** @throws InputError naming the field that is wrong, or a kind of adapter that is not read */
export function parseAdapterConfig(json: unknown, source: string): AdapterConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`${source}: ${issue.path.join('.') || 'the file'}: ${issue.message}.`);
  }
  const config = parsed.data;
  if (config.peft_type.toUpperCase() !== 'LORA')
    throw new InputError(
      `${source}: peft_type is ${config.peft_type}, and LORA alone is read; ${mergeInPython}.`,
    );
  const field = refused.find((name) => isOn(config[name]));
  if (field !== undefined)
    throw new InputError(`${source}: ${field} is not read; ${mergeInPython}.`);
  const { init_lora_weights: start } = config;
  if (typeof start === 'string' && changesBase.test(start))
    throw new InputError(
      `${source}: init_lora_weights is ${start}, which changes the base model's weights too; ${mergeInPython}.`,
    );
  return config;
}

function isOn(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== false;
}

/**
 * What the product of a module's two matrices is multiplied by, and the rank that they must have.
 * As in PEFT a pattern's key is a regular expression for the end of the module's name.
 * @throws InputError when a pattern is no regular expression
 */
export function scalingOf(
  module: string,
  { r, lora_alpha, use_rslora, rank_pattern, alpha_pattern }: AdapterConfig,
  source: string,
): { rank: number; scaling: number } {
  const rank = patterned(module, rank_pattern, source) ?? r;
  const alpha = patterned(module, alpha_pattern, source) ?? lora_alpha;
  return { rank, scaling: alpha / (use_rslora ? Math.sqrt(rank) : rank) };
}

function patterned(
  module: string,
  patterns: AdapterConfig['rank_pattern'],
  source: string,
): number | undefined {
  for (const [key, value] of Object.entries(patterns ?? {})) {
    let expression: RegExp;
    try {
      expression = new RegExp(`^(.*\\.)?(${key})$`);
    } catch {
      throw new InputError(
        `${source}: the pattern ${JSON.stringify(key)} is no regular expression.`,
      );
    }
    if (expression.test(module)) return value;
  }
  return undefined;
}
