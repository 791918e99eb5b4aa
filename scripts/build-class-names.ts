/**
 * Writes data/imagenet-names.json: for each of ImageNet's 1,000 classes what it may be called, from the particular
 * to the general, by WordNet.
 *
 * Usage: npx tsx scripts/build-class-names.ts SYNSETS DATA.NOUN
 * SYNSETS has a WordNet 3.0 id such as n01440764 a line, in the classes' order (imagenet_synsets.txt of the PyPI
 * package timm); DATA.NOUN is WordNet 3.0's file (/usr/share/wordnet/data.noun of Debian's wordnet-base).
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../src/base/files.ts';

interface Synset {
  readonly names: readonly string[];
  readonly above: readonly string[];
}

/** What is too general to tell a person of a picture. */
const tooGeneral = new Set(
  `entity;physical entity;object;physical object;whole;unit;artifact;artefact;matter;substance;abstraction;
  abstract entity;thing;living thing;animate thing;organism;being;causal agent;cause;causal agency;
  instrumentality;instrumentation;natural object;part;piece;portion;structure;construction;solid;chordate;
  vertebrate;craniate;invertebrate;arthropod;placental;eutherian;mammalian;conveyance;commodity;trade good;good;
  goods;covering;consumer goods;creation;product;production;attribute;group;grouping;collection;surface;area;
  unit of measurement;device;implement;way;set;line;system;form;work;game;control;top;head;body part;stock;
  process;physical process;location;point;region;food;nutrient;nutriment;relation;facility;installation;
  protection;support;mechanism;means;ware;article;apparatus;setup`
    .split(';')
    .map((name) => name.trim()),
);

function parse(text: string): Map<string, Synset> {
  const synsets = new Map<string, Synset>();
  for (const line of text.split('\n')) {
    if (!/^\d{8} /.test(line)) continue;
    const fields = (line.split(' | ')[0] ?? '').split(' ');
    const count = Number.parseInt(fields[3] ?? '0', 16);
    const names = Array.from({ length: count }, (_, i) =>
      (fields[4 + 2 * i] ?? '').replaceAll('_', ' ').toLowerCase(),
    );
    const pointers = 4 + 2 * count;
    const above: string[] = [];
    for (let i = 0; i < Number(fields[pointers]); i++) {
      const [kind, target] = fields.slice(pointers + 1 + 4 * i);
      if (kind === '@' && target !== undefined) above.push(target);
    }
    synsets.set(fields[0] ?? '', { names, above });
  }
  return synsets;
}

/** Names of a class; more would only be more general. */
const most = 16;

/** Breadth first, so that nearer names come before more general ones; each name once. */
function namesOf(id: string, synsets: ReadonlyMap<string, Synset>): string[] {
  const found = new Set<string>();
  let level = [id];
  while (level.length > 0 && found.size < most) {
    const here = level.flatMap((offset) => synsets.get(offset) ?? []);
    for (const name of here.flatMap(({ names }) => names))
      for (const form of formsOf(name)) if (!tooGeneral.has(form)) found.add(form);
    level = [...new Set(here.flatMap(({ above }) => above))];
  }
  return [...found].slice(0, most);
}

/** The name, and of names of several words their last, which says what kind of thing it is: 'tabby cat', 'cat'. */
function formsOf(name: string): string[] {
  const words = name.replaceAll('-', ' ').replaceAll("'s", '').split(' ');
  const last = words.at(-1) ?? name;
  return words.length === 1 ? [name] : [words.join(' '), last];
}

const [synsetsPath, nounsPath] = process.argv.slice(2);
if (synsetsPath === undefined || nounsPath === undefined)
  throw new Error('Usage: npx tsx scripts/build-class-names.ts SYNSETS DATA.NOUN');
const ids = (await readFile(synsetsPath, 'utf8')).split('\n').filter(Boolean);
const synsets = parse(await readFile(nounsPath, 'utf8'));
const rows = ids.map((id) => JSON.stringify(namesOf(id.replace(/^n/, ''), synsets)));
const target = fileURLToPath(new URL('../data/imagenet-names.json', import.meta.url));
await writeFileAtomic(target, `[\n${rows.join(',\n')}\n]\n`);
console.log(`${rows.length} classes`);
