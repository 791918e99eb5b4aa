/** An XMP packet and its properties by name. */
import { InputError } from '../../base/errors.ts';
import { type PropertyName, rdf, xmlNamespace } from './names.ts';
import { attributeOf, parseXml, type XmlAttribute, type XmlElement } from './tree.ts';

/** A packet that was read. XMP of a picture is one rdf:RDF with descriptions of the same thing. */
export interface Packet {
  readonly text: string;
  readonly rdf: XmlElement;
  readonly descriptions: readonly XmlElement[];
}

/** Where a property stands: as an element, or in short as an attribute. */
export type Property =
  | { readonly owner: XmlElement; readonly element: XmlElement }
  | { readonly owner: XmlElement; readonly attribute: XmlAttribute };

/** @throws InputError when the text is no XMP. @param name what holds it, for messages */
export function parsePacket(text: string, name: string): Packet {
  const root = parseXml(text, name);
  const isRdf = ({ uri, local }: XmlElement): boolean => uri === rdf && local === 'RDF';
  const found = isRdf(root) ? root : root.children.find(isRdf);
  if (!found)
    throw new InputError(
      `${name}: its XMP has no rdf:RDF and is left as it is; mend or remove it.`,
    );
  const descriptions = found.children.filter(
    ({ uri, local }) => uri === rdf && local === 'Description',
  );
  return { text, rdf: found, descriptions };
}

/** The property of that name, or undefined. */
export function findProperty(packet: Packet, { uri, local }: PropertyName): Property | undefined {
  for (const owner of packet.descriptions) {
    const element = owner.children.find((each) => each.uri === uri && each.local === local);
    if (element) return { owner, element };
    const attribute = owner.attributes.find((each) => each.uri === uri && each.local === local);
    if (attribute) return { owner, attribute };
  }
  return undefined;
}

const containers = ['Alt', 'Bag', 'Seq'];

/** The rdf:Alt, rdf:Bag or rdf:Seq of a property. */
export function containerOf(element: XmlElement): XmlElement | undefined {
  return element.children.find(({ uri, local }) => uri === rdf && containers.includes(local));
}

/** Its rdf:li elements. */
export function itemsOf(container: XmlElement): readonly XmlElement[] {
  return container.children.filter(({ uri, local }) => uri === rdf && local === 'li');
}

/** A text, also where qualifiers stand beside it. */
export function contentOf(element: XmlElement): string {
  const value = element.children.find(({ uri, local }) => uri === rdf && local === 'value');
  return value ? contentOf(value) : element.text;
}

/** All texts of a property: its items', or its own. */
export function textsOf(property: Property | undefined): string[] {
  if (!property) return [];
  if ('attribute' in property) return [property.attribute.value];
  const container = containerOf(property.element);
  return container ? itemsOf(container).map(contentOf) : [contentOf(property.element)];
}

/** The item for every language. */
export function defaultItem(container: XmlElement): XmlElement | undefined {
  return itemsOf(container).find((li) => attributeOf(li, xmlNamespace, 'lang') === 'x-default');
}

/** The text of a property for every language (x-default), or undefined. */
export function textOf(property: Property | undefined): string | undefined {
  if (!property) return undefined;
  if ('attribute' in property) return property.attribute.value;
  const container = containerOf(property.element);
  if (!container) return contentOf(property.element);
  const item = defaultItem(container);
  return item && contentOf(item);
}

/** Whether a description says nothing of the picture. */
export function isEmpty({ children, attributes }: XmlElement): boolean {
  return (
    children.length === 0 &&
    attributes.every(({ name, uri }) => /^xmlns(?::|$)/.test(name) || uri === rdf)
  );
}

/** The prefix of RDF in a packet, with its colon: 'rdf:' also where the packet itself needs none. */
export function rdfPrefix(packet: Packet): string {
  return prefixOf(packet.rdf) || 'rdf:';
}

/** The prefix of a tag, with its colon; '' where it has none. */
export function prefixOf({ name }: XmlElement): string {
  return name.includes(':') ? `${name.split(':', 1)[0]}:` : '';
}
