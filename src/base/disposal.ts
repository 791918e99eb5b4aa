/** Things that are opened one after the other, of which none may stay open when a later one fails (Node 20 has no DisposableStack). */

/** What was opened so far: disposed in reverse order, unless it is kept. */
export class Opened implements Disposable {
  #items: Disposable[] = [];

  /** Takes care of the item. @returns it */
  use<T extends Disposable>(item: T): T {
    this.#items.push(item);
    return item;
  }

  /** Everything has an owner now, who disposes of it. */
  keep(): void {
    this.#items = [];
  }

  [Symbol.dispose](): void {
    const items = this.#items.reverse();
    this.keep();
    for (const item of items) item[Symbol.dispose]();
  }
}
