/** Whether captions' main nouns stand in what people wrote, and how true the model's confidence in them is. */
import type { Reliability } from '../../confidence/config.ts';
import type { JudgedNoun } from '../../confidence/fit.ts';
import { reliabilityOf } from '../../confidence/reliability.ts';
import { NounMatcher } from '../../confidence/stands.ts';
import { readMeteorData } from '../../data/text/meteor-data.ts';
import type { DatasetCaption } from '../captioned.ts';

/** The judge of main nouns; a caption without one names nothing right. */
export async function nounJudge(): Promise<(captioned: DatasetCaption) => boolean> {
  const matcher = new NounMatcher(await readMeteorData());
  return ({ image, caption: { mainNoun } }) =>
    mainNoun !== undefined && matcher.stands(mainNoun, image.captions);
}

/** Captions with their evidence, judged. @param sourceOf the name of an image's source */
export async function judgedNouns<Captioned extends DatasetCaption>(
  captioned: readonly Captioned[],
  sourceOf: (captioned: Captioned) => string,
): Promise<JudgedNoun[]> {
  const isRight = await nounJudge();
  return captioned.flatMap((each) => {
    const { evidence } = each.caption;
    return evidence ? [{ evidence, right: isRight(each), source: sourceOf(each) }] : [];
  });
}

/** How true the captions' confidence is; undefined where they have none. */
export async function reliabilityOfCaptions(
  captioned: readonly DatasetCaption[],
  seed: number,
): Promise<Reliability | undefined> {
  if (captioned.every(({ caption }) => caption.confidence === undefined)) return undefined;
  const isRight = await nounJudge();
  const judged = captioned.map((each) => ({
    probability: each.caption.confidence ?? 0,
    right: isRight(each),
  }));
  return reliabilityOf(judged, seed);
}
