/** The variants that an ablation compares: which layers, which objective, under common settings. */
import { UsageError } from '../base/errors.ts';
import { parseTrainConfig, presets, type TrainConfig } from '../train/config/config.ts';
import { mergeSettings, type Settings } from '../train/config/file.ts';

/** A variant that comes with the package. */
interface BuiltIn {
  /** The layers it has, with what it fixes of them. */
  readonly refinement?: Settings;
  readonly alignment?: Settings;
  /** Weights of the objective that the common settings may change, and those they may not. */
  readonly weights?: Settings;
  readonly fixed?: Settings;
}

const weightsOf = ({ baseWeight, distillationWeight, refinedGradient }: Settings): Settings => ({
  baseWeight,
  distillationWeight,
  refinedGradient,
});
const own = { context: 'own' };
const siblings = { context: 'siblings' };
const weights = weightsOf(presets.refcap);

const builtIns: Readonly<Record<string, BuiltIn>> = {
  plain: {},
  refinement: { refinement: own, weights },
  alignment: { alignment: {}, weights },
  paper: { refinement: own, alignment: {}, fixed: weightsOf(presets.paper) },
  'refcap-own': { refinement: own, alignment: {}, weights },
  refcap: { refinement: siblings, alignment: {}, weights },
};

export const builtInNames: readonly string[] = Object.keys(builtIns);

/** Settings that mean something with a training-only layer alone. */
const layerSettings = [
  'readLayer',
  'baseWeight',
  'distillationWeight',
  'distillationTemperature',
  'refinedGradient',
] as const;

/**
 * Every variant's settings of training, by name, in order; the seed is that of the first run.
 * @param common settings of all variants
 * @param given the variants of a file, in place of the built-in ones; laid over the common settings
 * @throws UsageError naming the variant and the setting that is wrong
 */
export function resolveVariants(
  common: Settings,
  given: Settings | undefined,
): ReadonlyMap<string, TrainConfig> {
  checkCommon(common, given === undefined);
  const names = given === undefined ? builtInNames : Object.keys(given);
  if (names.length === 0) throw new UsageError('variants: there must be at least one.');
  return new Map(
    names.map((name) => {
      const settings =
        given === undefined ? builtInSettings(name, common) : ownSettings(name, common, given);
      return [name, namingVariant(name, () => parseTrainConfig(settings))];
    }),
  );
}

function checkCommon(common: Settings, isBuiltIn: boolean): void {
  if (common.seed !== undefined)
    throw new UsageError('seed: an ablation counts its seeds from 1; give seeds, their number.');
  if (common.preset !== undefined)
    throw new UsageError('preset: the variants take its place; give the settings themselves.');
  // What is wrong with the common settings is not any variant's fault.
  const { readLayer: _, ...rest } = common;
  parseTrainConfig(rest);
  if (!isBuiltIn) return;
  for (const name of ['refinement', 'alignment'] as const)
    if (common[name] === null)
      throw new UsageError(
        `${name}: null stands in the common settings, but the variants say which layers there are; choose them with --variants.`,
      );
  if (isGroup(common.refinement) && common.refinement.context !== undefined)
    throw new UsageError(
      'refinement.context: the built-in variants fix it; write variants of your own to choose it.',
    );
}

/** The common settings of a layer hold for the variants that have it. */
function builtInSettings(name: string, common: Settings): Settings {
  const variant = builtIns[name];
  const { refinement, alignment, ...rest } = common;
  const layer = (fixed: Settings | undefined, sizes: unknown): Settings | null =>
    fixed === undefined ? null : mergeSettings(isGroup(sizes) ? sizes : {}, fixed);
  const layers = {
    refinement: layer(variant.refinement, refinement),
    alignment: layer(variant.alignment, alignment),
  };
  const applicable =
    layers.refinement || layers.alignment ? rest : without(rest, [...layerSettings]);
  return { ...variant.weights, ...applicable, ...variant.fixed, ...layers };
}

function ownSettings(name: string, common: Settings, given: Settings): Settings {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(name))
    throw new UsageError(
      `variants: '${name}' names folders, so it may have letters, digits, '.', '_' and '-' alone.`,
    );
  const settings = given[name] ?? {};
  if (!isGroup(settings))
    throw new UsageError(`variants.${name}: the settings must be names with values.`);
  if (settings.seed !== undefined)
    throw new UsageError(`variants.${name}.seed: the seeds are the same for all variants.`);
  return mergeSettings(common, settings);
}

function namingVariant<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`variant ${name}: ${error.message}`);
    throw error;
  }
}

function without(settings: Settings, names: readonly string[]): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !names.includes(name)));
}

function isGroup(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
