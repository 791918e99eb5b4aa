/** Names of XMP: namespaces, and the properties that captions are kept in. */

/** A property: its namespace, its name, and the prefix that it usually goes by. */
export interface PropertyName {
  readonly uri: string;
  readonly local: string;
  readonly prefix: string;
}

export const rdf = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
export const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';

/** Namespaces by the prefixes under which we write them. */
export const namespaces = {
  dc: 'http://purl.org/dc/elements/1.1/',
  Iptc4xmpCore: 'http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/',
  photoshop: 'http://ns.adobe.com/photoshop/1.0/',
  xmpNote: 'http://ns.adobe.com/xmp/note/',
  /** Ours: what we wrote and what was there before. */
  refcap: 'urn:uuid:0a4b7e52-6c1d-4f0e-9d3a-5f2c8e61b7d4#',
} as const;
type Prefix = keyof typeof namespaces;

const property = (prefix: Prefix, local: string): PropertyName => ({
  uri: namespaces[prefix],
  local,
  prefix,
});

/** The properties that we write, by the part of a caption that they hold. */
export const captionProperties = {
  description: property('dc', 'description'),
  altText: property('Iptc4xmpCore', 'AltTextAccessibility'),
  keywords: property('dc', 'subject'),
  /** IPTC's "Description Writer". */
  writer: property('photoshop', 'CaptionWriter'),
} as const;
export type CaptionPart = keyof typeof captionProperties;

/** What we wrote of a part, and what was there before. */
export const recordOf = (part: CaptionPart): CaptionRecord => ({
  text: property('refcap', part),
  before: property('refcap', `${part}Before`),
  source: property('refcap', `${part}Source`),
});
interface CaptionRecord {
  readonly text: PropertyName;
  readonly before: PropertyName;
  /** The XML of what was there before, where we would write it in another way. */
  readonly source: PropertyName;
}
/** Who reviewed what we wrote, when, and what we had written. */
export const reviewProperties = {
  reviewer: property('refcap', 'reviewer'),
  reviewed: property('refcap', 'reviewed'),
  draft: property('refcap', 'draft'),
} as const;
/** Marks a packet that was not there before we wrote. */
export const packetProperty: PropertyName = property('refcap', 'packet');
