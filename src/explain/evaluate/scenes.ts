/** What the evaluation explains: pictures of a split with captions, and the words among them that name something. */
import type { Captioner } from '../../caption/captioner.ts';
import type { PreparedImage } from '../../caption/prepare.ts';
import { splitWords } from '../../metrics/words/words.ts';
import type { ExplainedScene } from '../methods/method.ts';
import type { ExplainedModel } from '../model.ts';
import { tokensOnce } from '../pictures.ts';
import { explainedModel } from '../threads/explainer.ts';
import type { WordPieces } from '../words.ts';

/** A picture with a caption, ready for any method. @param model another than the captioner's own, if wanted */
export function sceneOf(
  captioner: Captioner,
  { pixels }: PreparedImage,
  ids: readonly number[],
  { seed, signal }: Pick<ExplainedScene, 'seed' | 'signal'>,
  model: ExplainedModel = explainedModel(captioner),
): ExplainedScene {
  const size = captioner.config.vision_config.image_size;
  const tokens = tokensOnce(model, pixels, size);
  return { model, pixels, size, tokens, ids, seed, signal };
}

/** Words of English that name nothing in a picture. */
const functionWords = new Set(
  splitWords(
    `a an the this that these those some any each every another other all both no one two three four five six several
    many few of in on at by to from with without into onto over under above below behind beside between through across
    along around near up down out off and or but as while for is are was were be been being am has have had having do
    does did it its he his him she her they their them there who which what where when very so not than then just
    about against during after before next front back top - . , ' s`,
  ),
);

/** Whether a word says what there is, and not how things stand to each other. */
export function isContentWord({ text }: Pick<WordPieces, 'text'>): boolean {
  return /^[a-z]{2,}/.test(text) && !functionWords.has(text);
}
