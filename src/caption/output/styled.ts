/** Captions in a style, and with keywords, on their way to where they are written. */
import { neutralPeople } from '../style/neutral.ts';
import { type CaptionStyle, styled } from '../style/style.ts';
import type { CaptionRow } from './formats.ts';
import type { CaptionSink } from './output.ts';

/** @param keywords how many of each picture, of the captions that were drawn for them */
export function styledSink(sink: CaptionSink, style: CaptionStyle, keywords: number): CaptionSink {
  const change = async ({ drawn, ...row }: CaptionRow): Promise<CaptionRow> => {
    const captions = row.captions.map((each) => ({
      ...each,
      text: styled(each.text, style, row.file),
    }));
    const texts = [row.caption, ...(drawn ?? [])];
    const plain = style.neutralPeople ? texts.map(neutralPeople) : texts;
    // The tagger takes half a second to load, and few runs want it.
    const nouns = drawn && (await import('../style/keywords.ts')).agreedNouns;
    return {
      ...row,
      caption: styled(row.caption, style, row.file),
      captions,
      ...(nouns && { keywords: nouns(plain, keywords) }),
    };
  };
  return {
    has: (file, path) => sink.has(file, path),
    write: async (rows) => sink.write(await Promise.all(rows.map(change))),
    finish: () => sink.finish(),
  };
}
