/** What checkpoints call BLIP's tensors, beside the names of the graph: the original code's, duplicates and buffers. */
import { towers } from '../towers/towers.ts';

/** Whose names a checkpoint uses. */
export type NameLayout = 'transformers' | 'original';

/** Modules that PyTorch's wrappers (DistributedDataParallel, torch.compile, FSDP, checkpointing) put into names. */
const wrapperParts =
  /(?<=^|\.)(?:module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;
const partOfBlip = /(?<=^|\.)(?:vision_model|visual_encoder|text_decoder)\./;

/**
 * The names that the model itself gives its tensors, in order: without PyTorch's wrappers, and without what the
 * training code called the model (`model.`, `net.student.` ...).
 */
export function plainNames(names: Iterable<string>): string[] {
  const unwrapped = [...names].map((name) => name.replaceAll(wrapperParts, ''));
  const starts = unwrapped.map((name) => name.search(partOfBlip));
  const first = starts.findIndex((start) => start >= 0);
  if (first < 0 || starts.includes(0)) return unwrapped;
  const prefix = unwrapped[first].slice(0, starts[first]);
  return unwrapped.map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));
}

/** Tells the layout from the names: the original code calls the tower `visual_encoder`. */
export function nameLayoutOf(names: Iterable<string>): NameLayout {
  for (const name of names) if (name.startsWith('visual_encoder.')) return 'original';
  return 'transformers';
}

const towerRows = Object.values(towers).map(({ names }) => names);

/** transformers' name of a tensor of salesforce/BLIP; a name that is not known stays as it is. */
export function fromOriginalName(name: string): string {
  const prefix = 'visual_encoder.';
  if (!name.startsWith(prefix)) return name;
  const rest = name.slice(prefix.length);
  for (const { original } of towerRows)
    for (const [from, to] of original)
      if (from.test(rest)) return `vision_model.${rest.replace(from, to)}`;
  return name;
}

/** Tensors that hold another one's values again, because the two are tied: duplicate to parameter. */
export const tiedNames: ReadonlyMap<string, string> = new Map([
  [
    'text_decoder.cls.predictions.decoder.weight',
    'text_decoder.bert.embeddings.word_embeddings.weight',
  ],
  ['text_decoder.cls.predictions.decoder.bias', 'text_decoder.cls.predictions.bias'],
]);

/** Buffers of older files that hold 0, 1, 2, ... and say nothing. */
export const positionIdNames: ReadonlySet<string> = new Set([
  'text_decoder.bert.embeddings.position_ids',
  ...towerRows.flatMap(({ positionIds }) => positionIds.map((name) => `vision_model.${name}`)),
]);

/** Tables of learned positions, which may be interpolated for another image size. */
export const positionTableNames: ReadonlySet<string> = new Set(
  towerRows.flatMap(({ positionEmbedding: name }) =>
    name === undefined ? [] : [`vision_model.${name}`],
  ),
);
