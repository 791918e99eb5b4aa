/** Changes of a packet's properties that leave every other character as it is. */
import { rdf } from './names.ts';
import {
  containerOf,
  contentOf,
  defaultItem,
  itemsOf,
  type Packet,
  type Property,
  prefixOf,
  rdfPrefix,
} from './packet.ts';
import {
  escapeXml,
  type Splice,
  withAttribute,
  withContent,
  withContentBefore,
  withoutElement,
} from './splice.ts';
import { attributeOf } from './tree.ts';

/** Another text (of x-default) for a property that is there. */
export function withText({ text: xml }: Packet, property: Property, text: string): Splice {
  if ('attribute' in property)
    return withAttribute(xml, property.owner, property.attribute.name, text);
  const { element } = property;
  const container = containerOf(element);
  if (!container) return withContent(xml, element, escapeXml(text));
  const item = defaultItem(container);
  if (item) return withContent(xml, item, escapeXml(text));
  const prefix = prefixOf(container);
  const added = `<${prefix}li xml:lang="x-default">${escapeXml(text)}</${prefix}li>`;
  // The text for every language is the first.
  return withContentBefore(xml, container, added);
}

/** Whether a text for every language has its place in a property, if it is one without words. */
export function hasText(property: Property): boolean {
  if ('attribute' in property) return true;
  const container = containerOf(property.element);
  return !container || defaultItem(container) !== undefined;
}

/** An older text for a property, as XML that `withText` replaced. */
export function withSource(packet: Packet, property: Property, source: string): Splice {
  const splice = withText(packet, property, '');
  if ('attribute' in property || !/^\s*\/>$/.test(source)) return { ...splice, text: source };
  // It was one tag.
  const { element } = property;
  const container = containerOf(element);
  const { inner, end } = (container && defaultItem(container)) ?? element;
  return { start: inner - 1, end, text: source };
}

/** Without the x-default text of a property; without the property where no other text is left. */
export function withoutText({ text }: Packet, property: Property): Splice {
  if ('attribute' in property)
    return withAttribute(text, property.owner, property.attribute.name, undefined);
  const { element } = property;
  const container = containerOf(element);
  const item = container && defaultItem(container);
  const isOnly = !container || itemsOf(container).length === 1;
  return withoutElement(text, item && !isOnly ? item : element);
}

/** With more items behind those that a list has. @param items not in it yet */
export function withItems(packet: Packet, property: Property, items: readonly string[]): Splice[] {
  if ('attribute' in property || items.length === 0) return [];
  const { text } = packet;
  const { element } = property;
  const container = containerOf(element);
  if (!container) {
    const prefix = prefixOf(packet.rdf);
    const own = element.text.trim() === '' ? [] : [element.text];
    return [withContent(text, element, bag(prefix, [...own, ...items]))];
  }
  const prefix = prefixOf(container);
  const last = itemsOf(container).at(-1);
  if (!last) return [withContent(text, container, itemList(prefix, items))];
  const before = text.slice(text.slice(0, last.start).trimEnd().length, last.start);
  const added = items.map((item) => before + itemList(prefix, [item])).join('');
  return [{ start: last.end, end: last.end, text: added }];
}

/** Without those items of a list; without the list where none is left. */
export function withoutItems(
  { text }: Packet,
  property: Property,
  items: readonly string[],
): Splice[] {
  if ('attribute' in property) return [];
  const container = containerOf(property.element);
  const all = container ? itemsOf(container) : [];
  const gone = all.filter((item) => items.includes(contentOf(item)));
  if (gone.length === 0) return [];
  if (gone.length === all.length) return [withoutElement(text, property.element)];
  return gone.map((item) => withoutElement(text, item));
}

/** Items of a list as XML. */
function itemList(prefix: string, items: readonly string[]): string {
  return items.map((item) => `<${prefix}li>${escapeXml(item)}</${prefix}li>`).join('');
}

/** A list as XML. */
export function bag(prefix: string, items: readonly string[]): string {
  return `<${prefix}Bag>${itemList(prefix, items)}</${prefix}Bag>`;
}

/** A text for every language as XML. */
export function languageText(prefix: string, text: string): string {
  return `<${prefix}Alt><${prefix}li xml:lang="x-default">${escapeXml(text)}</${prefix}li></${prefix}Alt>`;
}

/** Properties in a description of their own. */
export interface NewDescription {
  /** Namespaces by prefix. */
  readonly declared: Readonly<Record<string, string>>;
  /** Properties as XML. */
  readonly content: readonly string[];
}

/** More descriptions behind those that are there. */
export function withDescriptions(packet: Packet, added: readonly NewDescription[]): Splice {
  const { text, rdf: parent, descriptions } = packet;
  const about = escapeXml((descriptions[0] && attributeOf(descriptions[0], rdf, 'about')) ?? '');
  const prefix = rdfPrefix(packet);
  const own = prefixOf(parent) === '' ? { rdf } : {};
  const lines = added.flatMap(({ declared, content }) => [
    `<${prefix}Description ${prefix}about="${about}"${declarations({ ...own, ...declared })}>`,
    ...content.map((line) => ` ${line}`),
    `</${prefix}Description>`,
  ]);
  const xml = lines.map((line) => `\n  ${line}`).join('');
  if (parent.end === parent.inner) return withContent(text, parent, `${xml}\n `);
  const at = parent.children.at(-1)?.end ?? parent.inner;
  return { start: at, end: at, text: xml };
}

function declarations(names: Readonly<Record<string, string>>): string {
  return Object.entries(names)
    .map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
    .join('');
}
