/**
 * Packs WordNet 3.0 for METEOR into data/meteor-en.bin.gz.
 *
 * Usage: npx tsx scripts/build-meteor-data.ts [FOLDER]
 * FOLDER holds data.{noun,verb,adj,adv} and {noun,verb,adj,adv}.exc as Debian's wordnet-base
 * 1:3.0-37 installs them (default /usr/share/wordnet; `apt-get download wordnet-base` and
 * `dpkg -x` give them without installing). Another release of WordNet has other offsets, so it
 * would change which words METEOR takes for synonyms: the script refuses it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { writeFileAtomic } from '../src/base/files.ts';
import { encodeMeteorData, type WordNetSense } from '../src/metrics/meteor/pack.ts';

const PARTS_OF_SPEECH = ['noun', 'verb', 'adj', 'adv'] as const;
const EXPECTED_WORDS = 147_306;
const EXPECTED_BASE_FORMS = 4_270;

/** METEOR 1.5's dictionary came from a copy of WordNet 3.0 with other typing errors, hence other offsets. */
function meteorId(part: number, offset: number): number {
  if (part === 1 && offset >= 613_036 && offset <= 2_422_966) return offset - 18;
  if (part === 2 && offset >= 1_681_478) return offset - 1;
  return offset;
}

function readSynsets(folder: string): { ids: number[][]; senses: WordNetSense[] } {
  const ids: number[][] = [];
  const senses: WordNetSense[] = [];
  let synset = 0;
  for (const [part, name] of PARTS_OF_SPEECH.entries()) {
    const own: number[] = [];
    for (const line of readFileSync(join(folder, `data.${name}`), 'latin1').split('\n')) {
      if (line === '' || line.startsWith('  ')) continue;
      const fields = line.split(' ');
      own.push(meteorId(part, Number(fields[0])));
      const count = Number.parseInt(fields[3] ?? '', 16);
      for (let i = 0; i < count; i++) {
        const written = (fields[4 + 2 * i] ?? '').split('(')[0] ?? '';
        const word = written.toLowerCase();
        senses.push({ word, synset, lowerCase: word === written });
      }
      synset++;
    }
    ids.push(own);
  }
  return { ids, senses };
}

function readExceptions(folder: string): [string, string[]][][] {
  return PARTS_OF_SPEECH.map((name) =>
    readFileSync(join(folder, `${name}.exc`), 'latin1')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): [string, string[]] => {
        const [inflected = '', ...bases] = line.split(' ').filter((word) => word !== '');
        return [inflected, bases];
      }),
  );
}

const folder = process.argv[2] ?? '/usr/share/wordnet';
const { ids, senses } = readSynsets(folder);
const exceptions = readExceptions(folder);
const words = new Set(senses.map((sense) => sense.word)).size;
const bases = new Set(exceptions.flat().flatMap(([, list]) => list)).size;
if (words !== EXPECTED_WORDS || bases !== EXPECTED_BASE_FORMS) {
  console.error(
    `${folder}: ${words} words and ${bases} base forms, not ${EXPECTED_WORDS} and ${EXPECTED_BASE_FORMS}; ` +
      "give the folder of Debian's wordnet-base 1:3.0-37.",
  );
  process.exit(1);
}
const packed = gzipSync(encodeMeteorData({ ids, senses, exceptions }), { level: 9 });
const target = fileURLToPath(new URL('../data/meteor-en.bin.gz', import.meta.url));
await writeFileAtomic(target, packed);
console.log(`${target}: ${words} words, ${senses.length} senses, ${packed.length} bytes`);
