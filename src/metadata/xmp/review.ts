/** What a person decided on a caption that refcap wrote into an XMP packet. */
import { withDescriptions, withText } from './edit.ts';
import { captionProperties, namespaces, recordOf, reviewProperties } from './names.ts';
import { findProperty, type Packet, parsePacket, textOf } from './packet.ts';
import { escapeXml, type Splice, spliced, withAttribute, withoutElement } from './splice.ts';
import { undoCaption } from './undo.ts';

/** Who decided, when, and on what. */
export interface XmpDecision {
  /** The caption that counts; undefined: the draft is wrong, and is taken out. */
  readonly text: string | undefined;
  readonly by: string;
  /** ISO 8601. */
  readonly when: string;
}

/**
 * A packet with a person's word on refcap's caption: from then on the words are a person's, which undoing leaves alone.
 * @returns undefined where nothing is left of the packet
 * @throws InputError when the text is no XMP. @param name what holds it
 */
export function reviewCaption(
  text: string,
  { text: accepted, by, when }: XmpDecision,
  name: string,
): string | undefined {
  const packet = parsePacket(withoutReview(text, name), name);
  if (accepted === undefined) return undoCaption(asDrafted(packet), name).packet;
  const draft = textOf(findProperty(packet, recordOf('description').text));
  const altDraft = textOf(findProperty(packet, recordOf('altText').text));
  const splices = [
    ...textSplice(packet, 'description', accepted),
    ...textSplice(packet, 'altText', accepted),
    ...textSplice(packet, 'writer', by),
  ];
  const noted = { reviewer: by, reviewed: when, draft: draft ?? altDraft ?? '' };
  const content = Object.entries(noted).map(([local, value]) => {
    const tag = `refcap:${local}`;
    return `<${tag}>${escapeXml(value)}</${tag}>`;
  });
  const { refcap } = namespaces;
  const added = withDescriptions(packet, [{ declared: { refcap }, content }]);
  return spliced(packet.text, [...splices, added]);
}

/** Another text for a part that refcap wrote; none where others have it. */
function textSplice(
  packet: Packet,
  part: 'description' | 'altText' | 'writer',
  text: string,
): Splice[] {
  const property = findProperty(packet, captionProperties[part]);
  const wrote = textOf(findProperty(packet, recordOf(part).text));
  return property && wrote !== undefined ? [withText(packet, property, text)] : [];
}

/** The packet with the words that refcap wrote, whatever an earlier decision put in their place. */
function asDrafted(packet: Packet): string {
  const splices = (['description', 'altText', 'writer'] as const).flatMap((part) => {
    const wrote = textOf(findProperty(packet, recordOf(part).text));
    return wrote === undefined ? [] : textSplice(packet, part, wrote);
  });
  return spliced(packet.text, splices);
}

/** The packet without an earlier decision. */
function withoutReview(text: string, name: string): string {
  const { descriptions } = parsePacket(text, name);
  const isReview = ({ uri, local }: { uri: string; local: string }): boolean =>
    Object.values(reviewProperties).some((each) => each.uri === uri && each.local === local);
  const splices = descriptions.flatMap((owner) => {
    const children = owner.children.filter(isReview);
    // A description of ours that holds nothing else goes as a whole.
    if (children.length > 0 && children.length === owner.children.length)
      return [withoutElement(text, owner)];
    return [
      ...children.map((child) => withoutElement(text, child)),
      ...owner.attributes
        .filter(isReview)
        .map((attribute) => withAttribute(text, owner, attribute.name, undefined)),
    ];
  });
  return spliced(text, splices);
}
