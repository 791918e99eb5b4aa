/** The options of how pictures are captioned, of all commands that caption many. */
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { imageSizeOption, membersOption, modelCommand, quantizeOption } from './model.ts';
import { noRepeatNgram, number, positive, repeated, whole } from './values.ts';

function stopping(text: string): boolean | 'never' {
  if (text === 'never') return text;
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError("must be 'true', 'false' or 'never'.");
}

/** A command with the options of the model, of generation and of decoding. */
export function captioningCommand(name: string) {
  return modelCommand(name)
    .option(
      '--workers <n>',
      'batches at a time, each in a thread (default: 1; 0, as for few pictures: none)',
      whole,
    )
    .addOption(imageSizeOption())
    .addOption(quantizeOption())
    .option('--keep-refiner', 'keep the training-only layers saved beside the model')
    .addOption(membersOption())
    .option('--batch-size <n>', 'pictures at a time', positive, 4)
    .option('--beams <n>', 'beams of beam search (1: greedy)', positive)
    .option('--min-length <n>', 'fewest tokens', whole)
    .option('--max-length <n>', 'most tokens', positive)
    .option('--min-new-tokens <n>', 'fewest tokens after the prompt', whole)
    .option('--max-new-tokens <n>', 'most tokens after the prompt', positive)
    .option('--length-penalty <x>', 'beam scores are divided by length to this power', number)
    .option('--repetition-penalty <x>', 'above 1: words written before become less likely', number)
    .addOption(noRepeatNgram())
    .option('--early-stopping <when>', "end of beam search: 'true', 'false' or 'never'", stopping)
    .option('--sample', 'draw words by chance')
    .option('--top-p <p>', 'draw from the words whose probabilities reach p', number)
    .option('--top-k <n>', 'draw from the n best words', whole)
    .option('--temperature <t>', 'draw from probabilities to the power 1/t', number)
    .option('--seed <n>', 'seed of drawing (default: 0)', whole)
    .option('--num-captions <n>', 'captions of each picture', positive)
    .option('--prompt <text>', 'what every caption begins with')
    .option('--ban <words>', 'a word or phrase that must not be written; may be repeated', repeated)
    .option('--words', "also give each word's log-probability and visual dependence (json, jsonl)")
    .option('--image-column <name>', "the pictures' column in Parquet tables, if it is not told")
    .option('--allow-svg', 'draw SVG files')
    .option('--max-pixels <n>', 'largest picture, in pixels', positive)
    .option('--max-bytes <n>', 'largest file, in bytes', positive);
}
