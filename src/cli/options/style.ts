/** Options of how captions are written down, and of keywords. */
import { Option } from 'commander';
import { UsageError } from '../../base/errors.ts';
import type { CaptionOptions } from '../../caption/options.ts';
import type { CaptionOutputFormat } from '../../caption/output/formats.ts';
import type { CaptionSink } from '../../caption/output/output.ts';
import { styledSink } from '../../caption/output/styled.ts';
import { type CaptionStyle, checkTemplate } from '../../caption/style/style.ts';
import { positive } from './values.ts';

export interface StyleFlags extends CaptionStyle {
  readonly keywords?: number;
  readonly appendToExisting?: boolean;
}

export const styleOptions = (): Option[] => [
  new Option('--neutral-people', "write 'person' for man, woman, boy and girl"),
  new Option('--prefix <text>', 'what stands before every caption (the model does not see it)'),
  new Option('--suffix <text>', 'what stands behind every caption'),
  new Option('--sentence', 'a capital at the start, a period at the end'),
  new Option('--template <text>', 'a text around captions, with {caption}, {name} and {folder}'),
  new Option(
    '--keywords <n>',
    'also nouns on which several drawn captions agree (json, jsonl, xmp)',
  ).argParser(positive),
  new Option('--append-to-existing', 'add captions to text files that are there (sidecar)'),
];

/** @throws UsageError where flags do not fit the format, or each other */
export function checkStyleFlags(
  { template, keywords, appendToExisting }: StyleFlags,
  format: CaptionOutputFormat,
  replaces: boolean,
): void {
  if (template !== undefined) checkTemplate(template);
  if (keywords !== undefined && !['json', 'jsonl', 'xmp'].includes(format))
    throw new UsageError('--keywords needs --format json, jsonl or xmp.');
  if (appendToExisting && format !== 'sidecar')
    throw new UsageError('--append-to-existing needs --format sidecar (xmp: --existing append).');
  if (appendToExisting && replaces)
    throw new UsageError('--append-to-existing goes with neither --resume nor --overwrite.');
}

/** Captions that are drawn of each picture for its keywords. */
const draws = 8;

/** How captions are drawn for keywords; undefined where none are asked for. */
export function drawOptions(
  { keywords }: StyleFlags,
  options: CaptionOptions,
): CaptionOptions | undefined {
  if (keywords === undefined) return undefined;
  return {
    ...options,
    do_sample: true,
    num_beams: 1,
    num_return_sequences: draws,
    top_p: options.top_p ?? 0.9,
    words: false,
    dependence: false,
  };
}

/** The sink behind the style, where one is asked for. */
export function withStyle(sink: CaptionSink, flags: StyleFlags): CaptionSink {
  const { neutralPeople, prefix, suffix, sentence, template, keywords } = flags;
  const style: CaptionStyle = { neutralPeople, prefix, suffix, sentence, template };
  const isAsked = [...Object.values(style), keywords].some((value) => value !== undefined);
  return isAsked ? styledSink(sink, style, keywords ?? 0) : sink;
}
