/** `npx tsx scripts/rooms/table.ts`: writes the table of rooms into docs/architecture.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Room, rooms } from './rooms.ts';

const begin = '<!-- rooms: written by scripts/rooms/table.ts -->';
const end = '<!-- end of rooms -->';

/** The page with the table between its marks. @throws Error when it has no marks */
export function withTable(page: string, table: Readonly<Record<string, Room>>): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page lacks ${begin} or ${end}`);
  const rows = Object.entries(table).map(
    ([name, { holds, uses, browser }]) =>
      `| \`${name}/\` | ${holds} | ${uses.join(', ') || 'no other room'} | ${inBrowser(browser)} |`,
  );
  const head = ['| room | what is in it | may import | in a browser |', '|---|---|---|---|'];
  return `${page.slice(0, from)}${[begin, '', ...head, ...rows, '', ''].join('\n')}${page.slice(to)}`;
}

function inBrowser(browser: Room['browser']): string {
  return browser === 'whole' ? 'yes' : browser === 'part' ? '`browser.ts`' : '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = fileURLToPath(new URL('../../docs/architecture.md', import.meta.url));
  writeFileSync(path, withTable(readFileSync(path, 'utf8'), rooms));
}
