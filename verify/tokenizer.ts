/** Checks the text tokenizer against a file of texts and the ids that transformers gives them. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import {
  type CaptionTokenizer,
  createTokenizer,
  parseVocabulary,
  tokenizerFromVocabulary,
} from '../src/data/index.ts';

const casesSchema = z.array(
  z.looseObject({
    text: z.string(),
    ids: z.array(z.int()),
    tokens: z.array(z.string()).optional(),
  }),
);
type Case = z.infer<typeof casesSchema>[number];

/**
 * Runs every case of FILE with the vocab.txt and the tokenizer.json beside it, whichever are there:
 * ids (between [CLS] and [SEP]) and tokens must be equal. Prints the cases that are not.
 * @returns whether all agree.
 */
export async function verify(file: string): Promise<boolean> {
  const cases = casesSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  const vocabulary = join(dirname(file), 'vocab.txt');
  const json = join(dirname(file), 'tokenizer.json');
  let agree = cases.length > 0;
  if (existsSync(vocabulary)) {
    const tokens = parseVocabulary(await readFile(vocabulary, 'utf8'), vocabulary);
    agree = check(cases, tokenizerFromVocabulary(tokens, vocabulary), 'vocab.txt') && agree;
  }
  if (existsSync(json)) {
    const content: unknown = JSON.parse(await readFile(json, 'utf8'));
    agree = check(cases, createTokenizer(content, json), 'tokenizer.json') && agree;
  }
  if (!existsSync(vocabulary) && !existsSync(json)) {
    console.log(`tokenizer: neither vocab.txt nor tokenizer.json beside ${file}`);
    return false;
  }
  return agree;
}

function check(cases: readonly Case[], tokenizer: CaptionTokenizer, name: string): boolean {
  let equal = 0;
  for (const { text, ids, tokens } of cases) {
    const actual = tokenizer.encode(text);
    const names = actual.map((id) => tokenizer.token(id));
    if (String(actual) === String(ids) && (!tokens || String(names) === String(tokens))) equal++;
    else
      console.log(
        `${JSON.stringify(text)}: ${actual.join(' ')} where ${ids.join(' ')} is expected`,
      );
  }
  console.log(`tokenizer (${name}): ${equal} of ${cases.length} equal`);
  return equal === cases.length;
}
