/**
 * Shapes whose dimensions may be symbolic: numbers, or integer polynomials in named sizes such as
 * 'batch', 'past+length' or '2*batch*length', kept in one canonical spelling so that equal
 * dimensions are equal strings.
 */

import type { DType } from './dtype.ts';

/** A dimension: a number, or a polynomial in canonical spelling (see `dim`). */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** What is known of a tensor before it is computed. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Monomial (factors joined by '*', '' for the constant) to coefficient. */
type Polynomial = Map<string, number>;

const cache = new Map<string, Polynomial>();

function parse(value: Dim): Polynomial {
  if (typeof value === 'number') return new Map(value === 0 ? [] : [['', value]]);
  const known = cache.get(value);
  if (known) return known;
  const result: Polynomial = new Map();
  for (const term of value.split('+')) {
    let coefficient = 1;
    const names: string[] = [];
    for (const factor of term.split('*').map((text) => text.trim())) {
      if (/^-?\d+$/.test(factor)) coefficient *= Number(factor);
      else if (/^[A-Za-z_][A-Za-z0-9_.]*$/.test(factor)) names.push(factor);
      else throw new TypeError(`'${value}' is not a dimension: use names joined by + and *`);
    }
    addTerm(result, names.sort().join('*'), coefficient);
  }
  cache.set(value, result);
  return result;
}

function addTerm(target: Polynomial, monomial: string, coefficient: number): void {
  const sum = (target.get(monomial) ?? 0) + coefficient;
  if (sum === 0) target.delete(monomial);
  else target.set(monomial, sum);
}

function spell(polynomial: Polynomial): Dim {
  const monomials = [...polynomial.keys()].sort((a, b) =>
    a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1,
  );
  if (monomials.length === 0) return 0;
  if (monomials.length === 1 && monomials[0] === '') return polynomial.get('') ?? 0;
  return monomials
    .map((monomial) => {
      const coefficient = polynomial.get(monomial) ?? 0;
      if (monomial === '') return String(coefficient);
      return coefficient === 1 ? monomial : `${coefficient}*${monomial}`;
    })
    .join('+');
}

/**
 * Brings a dimension into canonical spelling.
 * @throws TypeError when the text is no polynomial in names, or the number no whole number from 0 on.
 */
export function dim(value: Dim): Dim {
  if (typeof value === 'number') {
    if (!Number.isInteger(value) || value < 0) throw new TypeError(`${value} is not a dimension`);
    return value;
  }
  return spell(parse(value));
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  const sum = new Map(parse(a));
  for (const [monomial, coefficient] of parse(b)) addTerm(sum, monomial, coefficient);
  return spell(sum);
}

export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(-1, b));
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const product: Polynomial = new Map();
  for (const [left, x] of parse(a))
    for (const [right, y] of parse(b)) {
      const names = [...left.split('*'), ...right.split('*')].filter((name) => name !== '');
      addTerm(product, names.sort().join('*'), x * y);
    }
  return spell(product);
}

/** a / b where b is a single term that divides every term of a; undefined where it does not. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return 1;
  if (b === 1) return a;
  const divisor = [...parse(b)];
  if (divisor.length !== 1) return undefined;
  const [monomial, by] = divisor[0];
  const result: Polynomial = new Map();
  for (const [term, coefficient] of parse(a)) {
    const names = term === '' ? [] : term.split('*');
    for (const name of monomial === '' ? [] : monomial.split('*')) {
      const at = names.indexOf(name);
      if (at < 0) return undefined;
      names.splice(at, 1);
    }
    if (coefficient % by !== 0) return undefined;
    addTerm(result, names.join('*'), coefficient / by);
  }
  return spell(result);
}

/** The terms of a dimension: coefficient and the names multiplied. */
export function termsOf(value: Dim): { coefficient: number; names: string[] }[] {
  return [...parse(value)].map(([monomial, coefficient]) => ({
    coefficient,
    names: monomial === '' ? [] : monomial.split('*'),
  }));
}

/** The number a dimension has under the given sizes. @throws RangeError naming an unknown size. */
export function evaluateDim(value: Dim, sizes: ReadonlyMap<string, number>): number {
  if (typeof value === 'number') return value;
  let sum = 0;
  for (const { coefficient, names } of termsOf(value)) {
    let product = coefficient;
    for (const name of names) {
      const size = sizes.get(name);
      if (size === undefined) throw new RangeError(`the size of '${name}' is not known`);
      product *= size;
    }
    sum += product;
  }
  return sum;
}

/** The product of all dimensions. */
export function sizeOf(shape: Shape): Dim {
  return shape.reduce<Dim>(multiplyDims, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

export function printShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** The shape of an element-wise result (NumPy's rules), or undefined where the shapes do not fit. */
export function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === y || y === 1) result.push(x);
    else if (x === 1) result.push(y);
    else return undefined;
  }
  return result;
}
