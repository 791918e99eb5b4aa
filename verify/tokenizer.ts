/** Checks the text tokenizer against a file of texts and the ids that transformers gives them. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import {
  createTextTokenizer,
  parseVocabulary,
  type TextTokenizer,
  tokenizerFromVocabulary,
} from '../src/data/index.ts';
import { readCases } from './read-cases.ts';

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
 * @returns 0 if all agree, 1 if some do not or cannot be read, 2 without a path.
 */
export async function run([file]: readonly string[]): Promise<number> {
  if (file === undefined) {
    console.error(
      'Usage: npm run verify -- tokenizer FILE (vocab.txt or tokenizer.json beside it)',
    );
    return 2;
  }
  const cases = await readCases(file, casesSchema);
  if (cases === undefined) return 1;
  try {
    const results = (await tokenizersBeside(file)).map(([name, made]) => check(cases, made, name));
    if (results.length === 0)
      console.error(`${dirname(file)}: there is neither vocab.txt nor tokenizer.json.`);
    return results.length > 0 && cases.length > 0 && results.every(Boolean) ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

async function tokenizersBeside(file: string): Promise<[name: string, TextTokenizer][]> {
  const vocabulary = join(dirname(file), 'vocab.txt');
  const json = join(dirname(file), 'tokenizer.json');
  const made: [string, TextTokenizer][] = [];
  if (existsSync(vocabulary)) {
    const tokens = parseVocabulary(await readFile(vocabulary, 'utf8'), vocabulary);
    made.push(['vocab.txt', tokenizerFromVocabulary(tokens, vocabulary)]);
  }
  if (existsSync(json)) {
    const content: unknown = JSON.parse(await readFile(json, 'utf8'));
    made.push(['tokenizer.json', createTextTokenizer(content, json)]);
  }
  return made;
}

function check(cases: readonly Case[], tokenizer: TextTokenizer, name: string): boolean {
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
