/** Captions in a style, and with keywords, on their way to where they are written. */
import { agreedNouns } from '../style/keywords.ts';
import { neutralPeople } from '../style/neutral.ts';
import { type CaptionStyle, styled } from '../style/style.ts';
import type { CaptionRow } from './formats.ts';
import type { CaptionSink } from './output.ts';

/** @param keywords how many of each picture, of the captions that were drawn for them */
export function styledSink(sink: CaptionSink, style: CaptionStyle, keywords: number): CaptionSink {
  const change = ({ drawn, ...row }: CaptionRow): CaptionRow => {
    const captions = row.captions.map((each) => ({
      ...each,
      text: styled(each.text, style, row.file),
    }));
    const texts = [row.caption, ...(drawn ?? [])];
    const plain = style.neutralPeople ? texts.map(neutralPeople) : texts;
    return {
      ...row,
      caption: styled(row.caption, style, row.file),
      captions,
      ...(drawn && { keywords: agreedNouns(plain, keywords) }),
    };
  };
  return {
    has: (file, path) => sink.has(file, path),
    write: (rows) => sink.write(rows.map(change)),
    finish: () => sink.finish(),
  };
}
