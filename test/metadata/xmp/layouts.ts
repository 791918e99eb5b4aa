/** XMP packets as usual programs lay them out, made by hand after their output. */

const wrapped = (
  body: string,
  before = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n',
) =>
  `${before}<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">\n <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n${body}\n </rdf:RDF>\n</x:xmpmeta>\n${' '.repeat(99)}\n<?xpacket end="w"?>`;

const dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"';
const adobe = `xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" ${dc}`;

/** Packets whose picture has no description. */
export const undescribed: Readonly<Record<string, string>> = {
  'nothing at all': wrapped('  <rdf:Description rdf:about=""/>'),
  'attributes, as by Lightroom': wrapped(
    `  <rdf:Description rdf:about="uuid:faf5bdd5"\n    ${adobe}\n   xmp:Rating='4' crs:ToneCurveName="Linear &gt; 1"\n   photoshop:DateCreated="2024-05-01">\n   <dc:subject>\n    <rdf:Bag>\n     <rdf:li>snow</rdf:li>\n     <rdf:li>Møn</rdf:li>\n    </rdf:Bag>\n   </dc:subject>\n  </rdf:Description>`,
  ),
  'several descriptions, as by exiftool, without packet marks': wrapped(
    `\n <rdf:Description rdf:about=''\n  ${dc}>\n  <dc:title>\n   <rdf:Alt>\n    <rdf:li xml:lang='x-default'>A &amp; B</rdf:li>\n   </rdf:Alt>\n  </dc:title>\n </rdf:Description>\n\n <rdf:Description rdf:about=''\n  xmlns:xmp='http://ns.adobe.com/xap/1.0/'>\n  <xmp:Rating>5</xmp:Rating>\n </rdf:Description>`,
    '',
  ),
  'other prefixes, comments, line ends of Windows': wrapped(
    '  <!-- <rdf:Description> -->\r\n  <rdf:Description rdf:about="" xmlns:a="http://purl.org/dc/elements/1.1/">\r\n   <a:format>image/jpeg</a:format><a:description><rdf:Alt><rdf:li xml:lang="de">Ein Hund</rdf:li></rdf:Alt></a:description>\r\n  </rdf:Description>',
  ),
  'places for words without any, as by cameras': wrapped(
    `  <rdf:Description rdf:about="" ${adobe} photoshop:CaptionWriter=''><dc:description><rdf:Alt><rdf:li xml:lang="x-default" /></rdf:Alt></dc:description>\n   <Iptc4xmpCore:AltTextAccessibility xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"><rdf:Alt><rdf:li xml:lang="x-default">          </rdf:li></rdf:Alt></Iptc4xmpCore:AltTextAccessibility></rdf:Description>`,
  ),
  'an XML declaration, an unknown namespace': wrapped(
    '  <rdf:Description rdf:about="" xmlns:mine="http://example.com/mine#" mine:a="1"><mine:b rdf:parseType="Resource"><mine:c>é😀</mine:c></mine:b></rdf:Description>',
    '<?xml version="1.0" encoding="UTF-8"?>\n',
  ),
};

/** Packets with a person's description, which is "An old dog"; characters are written in several ways. */
export const described: Readonly<Record<string, string>> = {
  'as by Lightroom': wrapped(
    `  <rdf:Description rdf:about="" ${adobe} photoshop:CaptionWriter="Ann">\n   <dc:description>\n    <rdf:Alt>\n     <rdf:li xml:lang="x-default">An old dog</rdf:li>\n     <rdf:li xml:lang="de">Ein alter Hund</rdf:li>\n    </rdf:Alt>\n   </dc:description>\n  </rdf:Description>`,
  ),
  'as by exiftool, in short form': wrapped(
    `  <rdf:Description rdf:about='' ${adobe}\n   photoshop:CaptionWriter='Ann O&#39;Hara &#xA;&amp; Co'>\n   <dc:description><rdf:Alt><rdf:li xml:lang='x-default'>An&#x20;old dog</rdf:li></rdf:Alt></dc:description>\n  </rdf:Description>`,
  ),
  'in a block of characters': wrapped(
    `  <rdf:Description rdf:about="" ${dc}><dc:description><rdf:Alt><rdf:li xml:lang="x-default"><![CDATA[An old dog]]></rdf:li></rdf:Alt></dc:description></rdf:Description>`,
  ),
  'as an attribute': wrapped(
    `  <rdf:Description rdf:about="" ${adobe} xmp:Rating="3" dc:description="An old dog" photoshop:City="Ny"/>`,
  ),
  'without languages': wrapped(
    `  <rdf:Description rdf:about="" ${dc}><dc:description>An old dog</dc:description></rdf:Description>`,
  ),
};
