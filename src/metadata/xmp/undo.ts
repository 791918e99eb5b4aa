/** Takes out of an XMP packet what refcap wrote into it, and puts back what was there before. */

import { InputError } from '../../base/errors.ts';
import { withoutItems, withoutText, withSource, withText } from './edit.ts';
import {
  captionProperties,
  namespaces,
  packetProperty,
  recordOf,
  reviewProperties,
} from './names.ts';
import {
  findProperty,
  isEmpty,
  type Packet,
  type Property,
  parsePacket,
  textOf,
  textsOf,
} from './packet.ts';
import { type Splice, spliced, withAttribute, withoutElement } from './splice.ts';

export interface Undone {
  /** What is left; undefined where that is nothing and the packet was ours. */
  readonly packet: string | undefined;
  /** Whether there was something to take out. */
  readonly isChanged: boolean;
  /** Parts that were changed after refcap wrote them, and stay. */
  readonly changedSince: readonly string[];
}

const parts = ['description', 'altText', 'writer'] as const;

/**
 * Words that were changed since they were written are a person's, and stay; so do those that a reviewer accepted.
 * @throws InputError when the text is no XMP. @param name what holds it
 */
export function undoCaption(text: string, name: string): Undone {
  const before = parsePacket(text, name);
  const records = recordSplices(before);
  if (records.length === 0) return { packet: text, isChanged: false, changedSince: [] };
  const isOurs = findProperty(before, packetProperty) !== undefined;
  const { splices, changedSince } = partSplices(before);
  const cleared = parsePacket(spliced(text, [...splices, ...records]), name);
  const emptied = cleared.descriptions.filter(
    (description, i) => isEmpty(description) && !isEmpty(before.descriptions[i]),
  );
  const rest = spliced(
    cleared.text,
    emptied.map((description) => withoutElement(cleared.text, description)),
  );
  const isNothing = isOurs && parsePacket(rest, name).rdf.children.length === 0;
  return { packet: isNothing ? undefined : rest, isChanged: true, changedSince };
}

/** Without the properties of the record, wherever other programs have put them. */
function recordSplices({ text, descriptions }: Packet): Splice[] {
  const isRecord = ({ uri }: { uri: string }): boolean => uri === namespaces.refcap;
  return descriptions.flatMap((owner) => [
    ...owner.attributes
      .filter(isRecord)
      .map(({ name }) => withAttribute(text, owner, name, undefined)),
    ...owner.children.filter(isRecord).map((child) => withoutElement(text, child)),
  ]);
}

function partSplices(packet: Packet): { splices: Splice[]; changedSince: string[] } {
  const splices: Splice[] = [];
  const changedSince: string[] = [];
  const isReviewed = findProperty(packet, reviewProperties.reviewer) !== undefined;
  for (const part of parts) {
    const record = recordOf(part);
    const written = textOf(findProperty(packet, record.text));
    if (written === undefined) continue;
    const property = findProperty(packet, captionProperties[part]);
    if (!property || isReviewed || textOf(property) !== written) {
      if (property) changedSince.push(part);
      continue;
    }
    const old = textOf(findProperty(packet, record.before));
    const source = textOf(findProperty(packet, record.source));
    splices.push(
      old === undefined
        ? withoutText(packet, property)
        : (asItWas(packet, part, property, old, source) ?? withText(packet, property, old)),
    );
  }
  const keywords = findProperty(packet, captionProperties.keywords);
  const ours = textsOf(findProperty(packet, recordOf('keywords').text));
  if (keywords) splices.push(...withoutItems(packet, keywords, ours));
  return { splices, changedSince };
}

/** An old text in its old XML; undefined where that says something else by now, or is not known. */
function asItWas(
  packet: Packet,
  part: (typeof parts)[number],
  property: Property,
  old: string,
  source: string | undefined,
): Splice | undefined {
  if (source === undefined) return undefined;
  const splice = withSource(packet, property, source);
  try {
    const read = parsePacket(spliced(packet.text, [splice]), '');
    return textOf(findProperty(read, captionProperties[part])) === old ? splice : undefined;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
