/** The small text files of a folder, on the disk or behind an address. */

export interface TextFiles {
  /** How messages name the folder. */
  readonly place: string;
  /** How messages name a file of it. */
  pathOf(name: string): string;
  /** A file's text; undefined where there is none. */
  read(name: string): Promise<string | undefined>;
}
