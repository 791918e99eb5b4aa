/** Finds files by the names that captions give them: a path, a part of one, or a name written otherwise. */
import { basename, extname } from 'node:path';

/** How a name led to its file, the surest first. */
export type Found =
  | { readonly how: 'path' | 'end' | 'loose' | 'other folder'; readonly file: string }
  | { readonly how: 'several'; readonly files: readonly string[] };

/** A name as it is compared. */
type Form = (name: string) => string;

/** macOS decomposes letters with marks; the text beside the picture rarely does. */
const composed: Form = (name) => name.normalize('NFC');

/** Without what people and systems change unseen: capitals, spaces, characters of another width. */
const folded: Form = (name) =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s|%20/g, '');

/** Looks through a folder's files. Paths are relative to it, with slashes. */
export class FileFinder {
  readonly #files: ReadonlySet<string>;
  readonly #links: ReadonlyMap<string, string>;
  readonly #indexes = new Map<Form, Map<string, string[]>>();

  /** @param links Other paths of folders, as `listBelow` gives them. */
  constructor(files: readonly string[], links: ReadonlyMap<string, string> = new Map()) {
    this.#files = new Set(files);
    this.#links = links;
  }

  /**
   * The file of that path; else the one that ends so, or that the name ends in; else the same without
   * the file's ending; else in other capitals or spaces; else the one of that name in a folder called
   * otherwise. A name that fits several files equally well fits none.
   */
  find(name: string): Found | undefined {
    if (this.#files.has(name)) return { how: 'path', file: name };
    const wanted = this.#resolve(name.replaceAll('\\', '/').replace(/^(?:\.\/)+/, ''));
    if (this.#files.has(wanted)) return { how: 'path', file: wanted };
    return (
      this.#byEnd(wanted, composed, 'end') ??
      this.#byEnd(wanted, folded, 'loose') ??
      this.#byName(wanted)
    );
  }

  /** Through a link the same file is below another path. */
  #resolve(wanted: string): string {
    for (const [link, folder] of this.#links)
      if (wanted.startsWith(`${link}/`))
        return `${folder === '' ? '' : `${folder}/`}${wanted.slice(link.length + 1)}`;
    return wanted;
  }

  /** Of the files whose path ends in the name, or that the name ends in, those that agree longest. */
  #byEnd(wanted: string, form: Form, how: 'end' | 'loose'): Found | undefined {
    for (const isStem of [false, true]) {
      const parts = form(wanted).split('/');
      let longest = 0;
      let files: string[] = [];
      for (const file of this.#named(parts.at(-1) ?? '', form)) {
        const path = form(isStem ? withoutExtension(file) : file).split('/');
        const length = Math.min(path.length, parts.length);
        const agrees = parts.slice(-length).every((part, i) => part === path.slice(-length)[i]);
        if (!agrees || length < longest) continue;
        if (length > longest) files = [];
        longest = length;
        files.push(file);
      }
      if (files.length > 1) return { how: 'several', files };
      // The whole path in another form is that path.
      if (files.length === 1)
        return {
          how: how === 'end' && composed(files[0]) === composed(wanted) ? 'path' : how,
          file: files[0],
        };
    }
    return undefined;
  }

  #byName(wanted: string): Found | undefined {
    const files = this.#named(composed(basename(wanted)), composed);
    const exact = files.filter((file) => composed(basename(file)) === composed(basename(wanted)));
    const found = exact.length > 0 ? exact : files;
    if (found.length > 1) return { how: 'several', files: found };
    return found.length === 1 ? { how: 'other folder', file: found[0] } : undefined;
  }

  /** Files of that name, with or without their ending. */
  #named(name: string, form: Form): readonly string[] {
    let index = this.#indexes.get(form);
    if (!index) {
      index = new Map();
      for (const file of this.#files)
        for (const key of new Set([basename(file), withoutExtension(basename(file))].map(form))) {
          const files = index.get(key);
          if (files) files.push(file);
          else index.set(key, [file]);
        }
      this.#indexes.set(form, index);
    }
    return index.get(name) ?? [];
  }
}

/** A path without its last ending. */
export function withoutExtension(file: string): string {
  return file.slice(0, file.length - extname(file).length);
}
