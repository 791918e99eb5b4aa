/** Pictures that cannot be decoded are left out of training, and told. */
import { checkImages } from '../data/check-images.ts';
import type { DatasetImage } from '../data/dataset.ts';

/** Sentences that are told one by one. */
const mostTold = 10;

/** The images that decode, in their order; the others are told with their reasons. */
export async function readableImages(
  images: readonly DatasetImage[],
  onNote: (note: string) => void,
  signal?: AbortSignal,
): Promise<DatasetImage[]> {
  const checked = await checkImages(
    images.map(({ path }) => path),
    { ...(signal && { signal }) },
  );
  const faults = checked.flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
  for (const fault of faults.slice(0, mostTold)) onNote(`left out: ${fault}`);
  if (faults.length > mostTold)
    onNote(`left out: ${faults.length - mostTold} more pictures that cannot be read`);
  return images.filter((_, i) => checked[i].fault === undefined);
}
