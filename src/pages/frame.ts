/** The frame of HTML reports: one file that opens offline, on a phone and a desktop, in light and dark. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** `text` as HTML text or as the value of a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

export interface Page {
  /** Plain text. */
  readonly title: string;
  /** CSS after the frame's own. */
  readonly style: string;
  /** HTML, its texts escaped already; begins with an h1. */
  readonly body: string;
  /** The command that wrote the page, by which it knows its own pages again. */
  readonly generator?: string;
}

/** A whole HTML document. Colours are variables that follow the reader's light or dark setting. */
export function page({ title, style, body, generator }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${generator === undefined ? '' : `${generatorTag(generator)}\n`}<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${frameStyle}${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

/** How a page says which command wrote it. */
export function generatorTag(generator: string): string {
  return `<meta name="generator" content="${escapeHtml(generator)}">`;
}

const frameStyle = `
:root { --back: #fff; --soft: #f4f5f7; --line: #cfd4da; --edge: #868e97; --text: #1b1f24; --quiet: #57606a; --link: #0b5cad;
  --c0: #0b62a4; --c1: #c2410c; --c2: #04785a; --c3: #7c3aed; --c4: #8a6100; --c5: #b3126b; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14171b; --soft: #1f242a; --line: #434b55; --edge: #7a8592; --text: #e6e9ec; --quiet: #a3adb8; --link: #7fbcff;
    --c0: #6cb6ff; --c1: #ff9d66; --c2: #5fd3a0; --c3: #c4a1ff; --c4: #e6c34a; --c5: #ff8ac2; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 75rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
summary { cursor: pointer; padding: .25rem 0; }
.quiet { color: var(--quiet); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); }
thead th { white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
`;
