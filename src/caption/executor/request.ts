/** What is asked of a model that is open. */
import type { GenerationContext, SeenConcept } from '../../generation/context.ts';
import type { GenerationSettings } from '../../generation/options.ts';

/** A batch of pictures to write captions for, and how. It can be sent to another thread. */
export interface GenerationRequest
  extends Pick<GenerationContext, 'prompt' | 'seed' | 'imageNumbers'> {
  /** Pixels of each image, [3, size, size], normalised. */
  readonly images: readonly Float32Array[];
  /** How many of them, one after the other, a caption is of: they are read as one. Default 1. */
  readonly imagesEach?: number;
  readonly settings: GenerationSettings;
  /** Of each image, where the model was opened to be given them. */
  readonly concepts?: readonly (readonly SeenConcept[])[];
  /** Whether sequences also tell their probabilities without the picture. */
  readonly withoutPicture?: boolean;
}
