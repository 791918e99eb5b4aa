/** What `refcap explain` draws: its page and its contact sheet. */
import { thumbnail } from '../../data/images/thumbnail.ts';
import type { Explanation } from '../../explain/explanation.ts';
import { explanationSheet } from '../../explain/output/sheet.ts';
import { veilAddress } from '../../explain/output/veil-address.ts';
import { dependenceLevel, dependenceLevels, describeWord } from '../../explain/output/words.ts';
import { type ExplainContent, explainPage, type ShownPicture } from '../../pages/explain/page.ts';

/** A picture of a file, explained. */
export interface ExplainedPicture {
  readonly file: string;
  readonly source: string;
  readonly explanation: Explanation;
}

/** Longest side of the pictures in the page: sharp on screens of two pixels a point. */
const pictureSize = 800;

/** The page as HTML. */
export async function drawPage(
  explained: readonly ExplainedPicture[],
  about: Omit<ExplainContent, 'pictures'>,
): Promise<string> {
  const pictures: ShownPicture[] = [];
  for (const { file, source, explanation } of explained) {
    const { caption, width, height, side, words } = explanation;
    const shown = words.map(async (word) => ({
      text: word.text,
      about: describeWord(word),
      level: dependenceLevels.indexOf(dependenceLevel(word)),
      dependence: word.dependence,
      veil: await veilAddress(word.map, side),
    }));
    const picture = await thumbnail(source, pictureSize, { name: file });
    pictures.push({ file, picture, width, height, caption, words: await Promise.all(shown) });
  }
  return explainPage({ ...about, pictures });
}

/** The contact sheet as PNG. */
export function drawSheet(explained: readonly ExplainedPicture[]): Promise<Buffer> {
  return explanationSheet(explained);
}
