/** The server's description as a page of one file, without scripts. */
import { createHash } from 'node:crypto';
import { escapeHtml, page } from '../../pages/frame.ts';
import { schemaOf } from './document.ts';
import { type Operation, operations } from './operations.ts';

/** A whole HTML document. */
export function docsPage(): string {
  const groups = [...new Set(operations.map(({ group }) => group))];
  const body = `<h1>What refcap answers</h1>
<p>The model follows no instructions: pictures are captioned, prompts are not read. What of a request had no effect is
listed in the header <code>refcap-ignored</code>. Where the server asks for a token, send it as <code>Authorization:
Bearer TOKEN</code>. For programs, the same as <a href="/openapi.json">OpenAPI 3.1</a>.</p>
${groups.map(section).join('\n')}`;
  return page({ title: 'refcap: HTTP', style, body });
}

export function docsResponse(): Response {
  const html = docsPage();
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyOf(html),
    },
  });
}

/** Nothing from elsewhere: the page's own style, which its hash allows, and its empty icon are all that it has. */
function policyOf(html: string): string {
  const style = html.slice(html.indexOf('<style>') + '<style>'.length, html.indexOf('</style>'));
  const hash = createHash('sha256').update(style).digest('base64');
  return [
    "default-src 'none'",
    `style-src 'sha256-${hash}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const style = `
code { font-family: ui-monospace, monospace; font-size: .9em; }
h3 code { font-size: 1rem; }
section > section { border-top: 1px solid var(--line); margin-top: 1rem; padding-top: .75rem; }
`;

function section(group: Operation['group']): string {
  const own = operations.filter((operation) => operation.group === group);
  return `<section><h2>${escapeHtml(group)}</h2>\n${own.map(article).join('\n')}</section>`;
}

function article(operation: Operation): string {
  const { method, path, summary, takes, stream, body, answer } = operation;
  const also = [
    ...(takes === 'forms and bytes' ? ['a form with files (multipart/form-data)'] : []),
    ...(takes ? ["a picture's bytes (image/* or application/octet-stream)"] : []),
  ];
  const notes = [
    ...(also.length > 0 ? [`Takes JSON, or ${also.join(', or ')}.`] : []),
    ...(stream ? [`Can be answered as a stream (${stream}).`] : []),
  ];
  return `<section><h3><code>${method.toUpperCase()} ${escapeHtml(path)}</code></h3>
<p>${escapeHtml([`${summary}.`, ...notes].join(' '))}</p>
${body ? fields('What may be sent', schemaOf(body, 'input')) : ''}
${answer ? fields('What is answered', schemaOf(answer, 'output')) : ''}</section>`;
}

interface Schema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

function fields(title: string, schema: Schema): string {
  const rows = rowsOf(schema, '');
  if (rows.length === 0) return '';
  return `<div class="scroll"><table><caption>${title}</caption>
<thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

/** A row for each field, and for those of the objects in it. */
function rowsOf({ properties = {}, items, anyOf = [] }: Schema, prefix: string): string[] {
  const own = Object.entries(properties).flatMap(([name, field]) => [
    `<tr><td><code>${escapeHtml(prefix + name)}</code></td>
<td>${escapeHtml(kind(field))}</td><td>${escapeHtml(field.description ?? '')}</td></tr>`,
    ...rowsOf(field, `${prefix}${name}.`),
  ]);
  const inside = [...(items ? [items] : []), ...anyOf];
  return [...new Set([...own, ...inside.flatMap((one) => rowsOf(one, prefix))])];
}

/** A type in words, such as "integer, 1 to 16". */
function kind({ type, items, anyOf, minimum, maximum, ...schema }: Schema): string {
  if (anyOf) return [...new Set(anyOf.map(kind))].filter((one) => one !== 'null').join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (items) return `list of ${kind(items)}`;
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const least = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const bounds = [
    ...(least === undefined ? [] : [most === undefined ? `at least ${least}` : `${least}`]),
    ...(most === undefined ? [] : [least === undefined ? `at most ${most}` : `to ${most}`]),
  ];
  const types = [type].flat().filter((one) => one !== 'null');
  const name = types.length > 0 ? types.join(' or ') : 'null';
  return bounds.length > 0 ? `${name}, ${bounds.join(' ')}` : name;
}
