/** An XML text as a tree whose nodes know their places in it, so that a change touches nothing else. */
import { SaxesParser } from 'saxes';
import { InputError } from '../../base/errors.ts';

export interface XmlAttribute {
  /** With its prefix, as it is written. */
  readonly name: string;
  readonly uri: string;
  readonly local: string;
  readonly value: string;
}

/** Places count UTF-16 units from the start of the text. */
export interface XmlElement {
  /** With its prefix, as it is written. */
  readonly name: string;
  readonly uri: string;
  readonly local: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** What stands directly in it. */
  readonly text: string;
  readonly start: number;
  /** Behind its start tag. */
  readonly inner: number;
  /** Of its end tag; `inner` where it is one tag. */
  readonly innerEnd: number;
  readonly end: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Growing = Mutable<Omit<XmlElement, 'children'>> & { children: Growing[] };

/**
 * The root of an XML document.
 * @param name what holds it, for messages
 * @throws InputError when it is not well-formed
 */
export function parseXml(text: string, name: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const open: Growing[] = [];
  let root: Growing | undefined;
  parser.on('error', (error) => {
    throw notWellFormed(name, error.message);
  });
  parser.on('opentag', ({ name: tag, uri, local, attributes }) => {
    const inner = parser.position;
    const start = text.lastIndexOf('<', inner - 1);
    const element: Growing = {
      name: tag,
      uri,
      local,
      attributes: Object.values(attributes),
      children: [],
      text: '',
      ...{ start, inner, innerEnd: inner, end: inner },
    };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', ({ isSelfClosing }) => {
    const element = open.pop();
    if (!element || isSelfClosing) return;
    element.end = parser.position;
    element.innerEnd = text.lastIndexOf('</', parser.position - 1);
  });
  const addText = (more: string): void => {
    const element = open.at(-1);
    if (element) element.text += more;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  // Some writers fill up with zeros.
  parser.write(text.replace(/\0+$/, '')).close();
  if (!root) throw notWellFormed(name, 'there is no element');
  return root;
}

function notWellFormed(name: string, reason: string): InputError {
  return new InputError(
    `${name}: its XMP is not well-formed XML (${reason}) and is left as it is; mend or remove it.`,
  );
}

/** The value of an attribute, or undefined. */
export function attributeOf(element: XmlElement, uri: string, local: string): string | undefined {
  return element.attributes.find((each) => each.uri === uri && each.local === local)?.value;
}
