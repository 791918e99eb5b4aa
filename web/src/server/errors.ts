/** What may go wrong between the page and its server; each asks for something else. */

/** The server has as much to do as it takes. */
export class Busy extends Error {
  override readonly name = 'Busy';
  /** Seconds to wait before asking again. */
  readonly seconds: number;
  constructor(seconds: number) {
    super(`The server is busy; it asks to wait for ${seconds} s.`);
    this.seconds = seconds;
  }
}

/** The server asks for a token, or for another one. */
export class TokenNeeded extends Error {
  override readonly name = 'TokenNeeded';
}

/** Nobody answers. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** This picture cannot be captioned; the message is for the reader. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
}
