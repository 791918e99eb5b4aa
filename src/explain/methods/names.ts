/** The names of the methods of explanation and what they do, for whoever need not run them. */
import { UsageError } from '../../base/errors.ts';

/** What each method does, in a few words. */
export const aboutMethods = {
  'layer-cam': 'features of the vision tower, where more of them makes the word likelier',
  'contrastive-layer-cam': 'the same, only where the word takes more than most words do',
  'gradient-attention': 'attention, where more of it makes the word likelier',
  relevance: 'such attention through all layers of the decoder and the words before',
  attention: 'attention of the decoder to the picture',
  'gradient-input': 'gradient times image token',
  'integrated-gradients': 'gradients on the way from no picture to this one, summed',
  occlusion: 'how much likelier the word is with a place seen than covered',
  rise: 'how much likelier the word is under random masks that show a place',
} as const;

export type MethodName = keyof typeof aboutMethods;

export const methodNames: readonly MethodName[] = Object.keys(aboutMethods).filter(isMethodName);

export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(aboutMethods, name);
}

/** @throws UsageError for what is no method's name */
export function checkMethod(method: string | undefined): void {
  if (method !== undefined && !isMethodName(method))
    throw new UsageError(`method (${method}): one of ${methodNames.join(', ')}.`);
}

/** Where the tower has a finer grid than its tokens'. What speaks for it is in docs/explain.md. */
export const ofFinerTowers: MethodName = 'contrastive-layer-cam';
/** Elsewhere. */
export const ofOtherTowers: MethodName = 'gradient-attention';

/** The default in words. */
export const aboutDefault = `${ofFinerTowers} where the model's tower has a finer grid than its tokens, as the bundled model's has, else ${ofOtherTowers}`;
