/** How many pictures may wait: who comes when it is full is told so before anything of the request is read. */

/** There is no room for a request now. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/** More pictures in one request than could ever wait. */
export class TooManyPictures extends Error {
  override readonly name = 'TooManyPictures';
  readonly most: number;
  constructor(most: number) {
    super('too many pictures');
    this.most = most;
  }
}

export class Admission {
  readonly #capacity: number;
  readonly #onLess: () => void;
  #taken = 0;

  /**
   * @param capacity pictures that may wait: read, decoded, or ready for their batch
   * @param onLess told when fewer do
   */
  constructor(capacity: number, onLess: () => void) {
    this.#capacity = capacity;
    this.#onLess = onLess;
  }

  /** Pictures that wait. */
  get taken(): number {
    return this.#taken;
  }

  /** Room for a request of one picture; it may ask for more when it knows how many it has. @throws QueueFull */
  enter(): Ticket {
    this.#take(1);
    return new Ticket(this.#capacity, (more) => this.#take(more));
  }

  #take(more: number): void {
    if (more > 0 && this.#taken + more > this.#capacity) throw new QueueFull('the queue is full');
    this.#taken += more;
    if (more < 0) this.#onLess();
  }
}

/** The room that a request has: a place for each picture until it leaves the queue. Dispose it at the request's end. */
export class Ticket implements Disposable {
  readonly #most: number;
  readonly #take: (more: number) => void;
  #places = 1;

  constructor(most: number, take: (more: number) => void) {
    this.#most = most;
    this.#take = take;
  }

  /** Takes places for all pictures, or none. @throws QueueFull, TooManyPictures */
  grow(pictures: number): void {
    if (pictures > this.#most) throw new TooManyPictures(this.#most);
    if (pictures <= this.#places) return;
    this.#take(pictures - this.#places);
    this.#places = pictures;
  }

  /** Gives one place back. */
  leave(): void {
    if (this.#places === 0) return;
    this.#places -= 1;
    this.#take(-1);
  }

  [Symbol.dispose](): void {
    const left = this.#places;
    this.#places = 0;
    if (left > 0) this.#take(-left);
  }
}
