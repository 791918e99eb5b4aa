/** Captions in XMP packets: read, and written so that others' words stay. */

import type { Existing } from '../choices.ts';
import {
  bag,
  hasText,
  languageText,
  type NewDescription,
  withDescriptions,
  withItems,
  withText,
} from './edit.ts';
import {
  type CaptionPart,
  captionProperties,
  namespaces,
  type PropertyName,
  packetProperty,
  recordOf,
  reviewProperties,
} from './names.ts';
import { findProperty, type Packet, parsePacket, rdfPrefix, textOf, textsOf } from './packet.ts';
import { escapeXml, type Splice, spliced } from './splice.ts';

import { undoCaption } from './undo.ts';

/** What a picture's metadata says of what is on it. */
export interface DescribedPicture {
  /** For every language; else in the first that is there. */
  readonly description: string | undefined;
  readonly altText: string | undefined;
  readonly keywords: readonly string[];
  /** Whether refcap wrote something of it. */
  readonly isOurs: boolean;
  /** Whether the description (the alt text, where there is none) is as refcap wrote it. */
  readonly isMachineMade: boolean;
  /** Whether a person has accepted or edited what refcap wrote, by `refcap review`. */
  readonly isReviewed: boolean;
}

/** A caption as it is written. */
export interface NewCaption {
  readonly text: string;
  readonly keywords?: readonly string[];
  /** What wrote it, such as "refcap 0.1.0", and by which model. */
  readonly agent: string;
  readonly model: string;
  /** ISO 8601. */
  readonly when: string;
}

/** Reads what a packet says. @throws InputError when it is no XMP. @param name what holds it */
export function readDescribed(text: string, name: string): DescribedPicture {
  const packet = parsePacket(text, name);
  const description = saidOf(packet, 'description');
  const altText = saidOf(packet, 'altText');
  const part = description === undefined ? 'altText' : 'description';
  const recorded = textOf(findProperty(packet, recordOf(part).text));
  const isReviewed = findProperty(packet, reviewProperties.reviewer) !== undefined;
  return {
    description,
    altText,
    isMachineMade: !isReviewed && recorded !== undefined && recorded === (description ?? altText),
    isReviewed,
    keywords: textsOf(findProperty(packet, captionProperties.keywords)),
    isOurs: (['description', 'altText'] as const).some(
      (part) => findProperty(packet, recordOf(part).text) !== undefined,
    ),
  };
}

function saidOf(packet: Packet, part: CaptionPart): string | undefined {
  const property = findProperty(packet, captionProperties[part]);
  return wordsOf(textOf(property)) ?? textsOf(property).find((text) => text.trim() !== '');
}

function wordsOf(text: string | undefined): string | undefined {
  return text?.trim() === '' ? undefined : text;
}

/** A packet without any property. */
const emptyPacket = [
  '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
  '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
  ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
  ' </rdf:RDF>',
  '</x:xmpmeta>',
  '<?xpacket end="w"?>',
].join('\n');

/** The kind of source of words that a model wrote, in IPTC's vocabulary. */
const machineMade = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';

/**
 * A packet with a caption as dc:description and IPTC's alt text, and a record of what was written and of what
 * was there before. What refcap wrote earlier is taken out first. The kind of source is noted of the words:
 * IPTC's own property is about the picture, which no model made.
 * @param before the packet that is there, or undefined
 * @throws InputError when it is no XMP
 */
export function writeCaption(
  before: string | undefined,
  caption: NewCaption,
  existing: Exclude<Existing, 'keep'>,
  name: string,
): string {
  const cleared = before === undefined ? undefined : undoCaption(before, name).packet;
  const packet = parsePacket(cleared ?? emptyPacket, name);
  const changes = new Changes(packet);
  const isAlone = writeTexts(changes, caption.text, existing);
  if (changes.isEmpty && caption.keywords === undefined) return before ?? packet.text;
  const { agent, model } = caption;
  const writer = textOf(findProperty(packet, captionProperties.writer));
  // Who wrote the description is said where all of it is ours.
  if (isAlone && (writer === undefined || existing === 'overwrite'))
    changes.write('writer', `${agent} (${model})`, escapeXml(`${agent} (${model})`));
  changes.addKeywords(caption.keywords ?? []);
  if (cleared === undefined) changes.note(packetProperty, 'new');
  for (const [local, value] of Object.entries({ agent, model, when: caption.when }))
    changes.note({ ...packetProperty, local }, value);
  changes.note({ ...packetProperty, local: 'textSourceType' }, machineMade);
  return changes.apply();
}

/** Writes description and alt text; says whether the description is the caption alone. */
function writeTexts(changes: Changes, text: string, existing: Exclude<Existing, 'keep'>): boolean {
  const { packet } = changes;
  let isAlone = false;
  for (const part of ['description', 'altText'] as const) {
    const old = saidOf(packet, part);
    if (old !== undefined && existing === 'empty-only') continue;
    const own = wordsOf(textOf(findProperty(packet, captionProperties[part])));
    const all = own !== undefined && existing === 'append' ? appended(own, text) : text;
    changes.write(part, all, languageText(rdfPrefix(packet), all));
    if (part === 'description') isAlone = all === text;
  }
  return isAlone;
}

/** One text behind another, as sentences. */
export function appended(before: string, text: string): string {
  const end = before.trimEnd();
  return `${end}${/[.!?\u2026:;,]$/.test(end) ? ' ' : '. '}${text}`;
}

/** Gathers what is written into a packet, and the record of it. */
class Changes {
  readonly packet: Packet;
  readonly #splices: Splice[] = [];
  readonly #content: string[] = [];
  readonly #declared = new Map<string, string>();
  readonly #record: string[] = [];

  constructor(packet: Packet) {
    this.packet = packet;
  }

  get isEmpty(): boolean {
    return this.#record.length === 0;
  }

  /** Writes a text. @param xml the property's content where the property is new */
  write(part: Exclude<CaptionPart, 'keywords'>, text: string, xml: string): void {
    const property = findProperty(this.packet, captionProperties[part]);
    const record = recordOf(part);
    this.note(record.text, text);
    if (!property) {
      this.#add(part, xml);
      return;
    }
    const splice = withText(this.packet, property, text);
    this.#splices.push(splice);
    if (!hasText(property)) return;
    const old = textOf(property) ?? '';
    const source = this.packet.text.slice(splice.start, splice.end);
    this.note(record.before, old);
    if (withText(this.packet, property, old).text !== source) this.note(record.source, source);
  }

  /** Adds the keywords that are not there yet. */
  addKeywords(keywords: readonly string[]): void {
    const property = findProperty(this.packet, captionProperties.keywords);
    const there = new Set(textsOf(property).map((each) => each.toLowerCase()));
    const missing = keywords.filter((each) => !there.has(each.toLowerCase()));
    if (missing.length === 0 || (property && 'attribute' in property)) return;
    const xml = bag(rdfPrefix(this.packet), missing);
    if (property) this.#splices.push(...withItems(this.packet, property, missing));
    else this.#add('keywords', xml);
    this.#record.push(element(recordOf('keywords').text, xml));
  }

  /** Writes a property of the record. */
  note(name: PropertyName, text: string): void {
    this.#record.push(element(name, escapeXml(text)));
  }

  /** The packet with all of it. */
  apply(): string {
    const { refcap } = namespaces;
    const added: NewDescription[] = [
      { declared: Object.fromEntries(this.#declared), content: this.#content },
      { declared: { refcap }, content: this.#record },
    ];
    const filled = added.filter(({ content }) => content.length > 0);
    const descriptions = withDescriptions(this.packet, filled);
    return spliced(this.packet.text, [...this.#splices, descriptions]);
  }

  #add(part: CaptionPart, xml: string): void {
    const name = captionProperties[part];
    this.#declared.set(name.prefix, name.uri);
    this.#content.push(element(name, xml));
  }
}

function element({ prefix, local }: PropertyName, xml: string): string {
  return `<${prefix}:${local}>${xml}</${prefix}:${local}>`;
}
