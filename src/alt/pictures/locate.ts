/** From the address of a picture in a page to its file. */
import { stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { pictureKind } from '../../data/images/formats.ts';
import { mark } from '../pages/expressions.ts';

/** Where a site's pictures are looked for. */
export interface SiteRoots {
  /** Folders that `/` stands for. */
  readonly roots: readonly string[];
  /** The address at which the site is found: what lies below it is in the roots. */
  readonly siteUrl?: string;
}

/** A page, as addresses in it are relative to it. */
export interface PageOrigin {
  readonly path: string;
  /** What `<base>` says. */
  readonly base?: string;
}

/** A picture's file, or why there is none that could be captioned. */
export type LocatedPicture =
  | { readonly kind: 'file'; readonly path: string; readonly source: string }
  | { readonly kind: 'none'; readonly reason: string; readonly source?: string };

/** The file of the first address that has one; where none has, the reason of the first. */
export async function locatePicture(
  sources: readonly string[],
  page: PageOrigin,
  site: SiteRoots,
): Promise<LocatedPicture> {
  let first: LocatedPicture | undefined;
  for (const source of sources) {
    const located = await locateOne(source, page, site);
    if (located.kind === 'file') return located;
    first ??= located;
  }
  return first ?? { kind: 'none', reason: 'the page gives no address of it' };
}

async function locateOne(
  source: string,
  page: PageOrigin,
  site: SiteRoots,
): Promise<LocatedPicture> {
  const none = (reason: string): LocatedPicture => ({ kind: 'none', reason, source });
  if ((source + (page.base ?? '')).includes(mark))
    return { kind: 'none', reason: 'its address is an expression' };
  if (/^data:/i.test(source)) return { kind: 'none', reason: 'it is embedded in the page' };
  const paths = pathsOf(source, page, site);
  if (paths === undefined) return none('it is on another machine');
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) continue;
    const ending = extname(path).toLowerCase();
    if (pictureKind(ending) === 'passed over')
      return none(`${ending.slice(1).toUpperCase()} is not read`);
    return { kind: 'file', path, source };
  }
  return none('there is no such file');
}

/** Where the file may be; undefined for addresses of other machines. */
function pathsOf(source: string, page: PageOrigin, site: SiteRoots): string[] | undefined {
  const address = localAddress(source, site.siteUrl);
  const base = page.base === undefined ? '' : localAddress(page.base, site.siteUrl);
  if (address === undefined || base === undefined) return undefined;
  const isRooted = address.startsWith('/');
  const names = namesOf(address);
  if (isRooted || base.startsWith('/')) {
    const below = isRooted ? '' : folderOf(base);
    return site.roots.flatMap((root) => names.map((name) => join(root, below, name)));
  }
  return names.map((name) => join(dirname(page.path), folderOf(base), name));
}

/** The address within the site, or undefined where it is another machine's. */
function localAddress(address: string, siteUrl: string | undefined): string | undefined {
  const own = siteUrl?.replace(/\/*$/, '/');
  if (own !== undefined && address.startsWith(own)) return `/${address.slice(own.length)}`;
  return /^(?:[a-z][a-z\d+.-]*:|\/\/|\\\\)/i.test(address) ? undefined : address;
}

/** What stands before the last slash of a base: that is what addresses are relative to. */
function folderOf(base: string): string {
  const [path] = base.split(/[?#]/, 1);
  return decoded(path.slice(0, path.lastIndexOf('/') + 1));
}

/** The names that an address may have on the disk: without query, decoded or as it is, accents in both forms. */
function namesOf(address: string): string[] {
  const [path] = address.split(/[?#]/, 1);
  const names = [decoded(path), path, decoded(address)];
  return [
    ...new Set(names.flatMap((name) => [name, name.normalize('NFC'), name.normalize('NFD')])),
  ];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
