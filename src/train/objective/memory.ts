/** How many images of a step fit the memory at once. */
import { InputError } from '../../base/errors.ts';
import { peakBytes } from '../../engine/graph/memory.ts';
import type { TrainConfig } from '../config/config.ts';
import { parameterGroups, type TrainingGraphs } from './graphs.ts';
import { type ObjectiveOutputs, withGradients } from './objective.ts';

/** The estimate leaves out kernels' scratch space and gaps between blocks. */
const slack = 1.25;

/**
 * The largest micro-batch (images) whose step fits `limit` bytes beside weights, gradients and
 * optimizer state; estimated from the graph for captions of `maxWords` words.
 * @param captions of an image, at most
 * @throws InputError when not even one image fits
 */
export function fitMicroBatch(
  config: TrainConfig,
  graphs: TrainingGraphs,
  captions: number,
  limit: number,
): number {
  const { scope, objective, policy, vision } = graphs;
  const groupOf = parameterGroups(config, vision);
  let fixed = 0;
  const trainable = new Set<string>();
  for (const spec of scope.parameters) {
    const bytes = 4 * spec.shape.reduce((n, d) => n * d, 1);
    if (groupOf(spec) === 'frozen') fixed += bytes;
    else {
      trainable.add(spec.name);
      // The value, its gradient, and the optimizer's slots; what a run gives out is in its own estimate.
      fixed += bytes * (4 + (config.ema > 0 ? 1 : 0));
    }
  }
  const graphOf = ({ loss }: ObjectiveOutputs) =>
    Object.values(withGradients(scope, { loss }, trainable, true));
  const steps = [{ values: graphOf(objective), captions }];
  if (policy) steps.push({ values: graphOf(policy), captions: config.scst.samples });
  const bytes = (images: number): number => {
    const peaks = steps.map((step) =>
      peakBytes(
        step.values,
        new Map([
          ['images', images],
          ['captions', step.captions],
          ['length', config.maxWords + 1],
        ]),
      ),
    );
    return fixed + slack * Math.max(...peaks);
  };
  let [low, high] = [0, config.batchSize];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (bytes(middle) <= limit) low = middle;
    else high = middle - 1;
  }
  if (low > 0) return low;
  throw new InputError(
    `the memory limit is ${gibibytes(limit)} GiB, but a step with a single image takes about ${gibibytes(bytes(1))} GiB; raise --memory-limit, or train less (lora, fewer visionBlocks, smaller width)`,
  );
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
