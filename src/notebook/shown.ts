/** What a cell of a notebook shows: HTML where a kernel draws it, plain text elsewhere. */

/** By this symbol a kernel, such as Deno's, asks the last value of a cell what to show. */
const display: unique symbol = Symbol.for('Jupyter.display');
/** By this one Node's `console.log` does. */
const inspect: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/** A value to end a cell with. The HTML loads nothing and has no script. */
export class Shown {
  readonly html: string;
  readonly text: string;

  constructor(html: string, text: string) {
    this.html = html;
    this.text = text;
  }

  [display](): Readonly<Record<string, string>> {
    return { 'text/html': this.html, 'text/plain': this.text };
  }

  [inspect](): string {
    return this.text;
  }

  toString(): string {
    return this.text;
  }
}
