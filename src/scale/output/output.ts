/** Where the results of many tasks go: objects that are there whole or not at all. */

/** A folder or a place in a store. Several machines may write to it at a time. */
export interface ObjectStore {
  /** As messages call it. */
  readonly name: string;
  /** The object's text; undefined: there is none. @throws InputError when the store fails */
  read(object: string): Promise<string | undefined>;
  /** Writes an object unless there is one. @returns whether it was written */
  create(object: string, text: string): Promise<boolean>;
  /**
   * Puts an object in its place when it is whole, whatever was there.
   * @param fill writes the file that becomes it
   */
  put<T>(object: string, fill: (path: string) => Promise<T>): Promise<T>;
}
