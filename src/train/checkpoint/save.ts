/** Saves what was trained as a model: the base path in transformers' layout, the training-only layers beside it. */
import { isRefinerParameter } from '../../model/checkpoint/refiner.ts';
import { saveModel, storeWeights } from '../../model/checkpoint/save.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import { fromFloat32, type WeightTensor } from '../../weights/weight.ts';
import type { TrainConfig } from '../config/config.ts';
import { savedGeneration } from '../loop/generation.ts';
import type { Start } from '../loop/start.ts';
import { isAdapter, type TrainingGraphs } from '../objective/graphs.ts';

export interface Trained {
  readonly start: Start;
  readonly config: TrainConfig;
  readonly graphs: TrainingGraphs;
  readonly store: ParameterStore;
  /** The values to save: the trained ones, or their average. */
  readonly trainable: Float32Array;
  readonly maxLength: number;
}

/** Writes the model's folder, replacing the one before; adapters are merged into the weights they stand beside. */
export async function saveTrained(folder: string, trained: Trained): Promise<void> {
  const { start, config, graphs, store, trainable, maxLength } = trained;
  const all = storeWeights(store, trainable);
  const refiner = [...all].filter(([name]) => isRefinerParameter(name));
  const base = new Map<string, WeightTensor>(
    graphs.images === 'tokens' ? storeWeights(start.tower.store) : [],
  );
  for (const [name, weight] of all)
    if (!isRefinerParameter(name) && !isAdapter(name)) base.set(name, weight);
  const scale = graphs.adapters?.scale ?? 0;
  for (const name of store.names)
    if (name.endsWith('.lora_A')) {
      const layer = name.slice(0, -'.lora_A'.length);
      const { shape, data } = merged(store, trainable, layer, scale);
      base.set(`${layer}.weight`, fromFloat32(data, shape));
    }
  await saveModel(
    folder,
    {
      ...start.saved,
      config: { ...start.model, ...(graphs.frames > 1 && { clip_frames: graphs.frames }) },
      weights: base,
      dtype: config.dtype,
      generation: savedGeneration(start.generation, maxLength, config.savedBeams),
      ...(graphs.refiner && { refiner: { config: graphs.refiner, weights: refiner } }),
    },
    { overwrite: true },
  );
}

/** W + scale B A of the linear layer of this name. */
function merged(
  store: ParameterStore,
  trainable: Float32Array,
  layer: string,
  scale: number,
): { shape: readonly number[]; data: Float32Array } {
  const { shape, data } = store.tensor(`${layer}.weight`, trainable);
  const a = store.tensor(`${layer}.lora_A`, trainable);
  const b = store.tensor(`${layer}.lora_B`, trainable);
  const [rank, width] = a.shape;
  const result = Float32Array.from(data);
  for (let row = 0; row < b.shape[0]; row++)
    for (let k = 0; k < rank; k++) {
      const factor = scale * b.data[row * rank + k];
      if (factor === 0) continue;
      for (let i = 0; i < width; i++) result[row * width + i] += factor * a.data[k * width + i];
    }
  return { shape, data: result };
}
