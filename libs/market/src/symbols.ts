/** A symbol is `ROOT` or `ROOT.SUFFIX`: root of 1 to 6, suffix of up to 10 visible ASCII characters. */
export const SYMBOL_ROOT_LENGTH = 6;
export const SYMBOL_SUFFIX_LENGTH = 10;

export interface SymbolParts {
  root: string;
  suffix: string;
}

/** `BRK` and `A` make `BRK.A`; an empty suffix makes the bare root. */
export function joinSymbol(root: string, suffix: string): string {
  return suffix === '' ? root : `${root}.${suffix}`;
}

/** Splits at the first point: `BRK.A` is root `BRK`, suffix `A`. */
export function splitSymbol(symbol: string): SymbolParts {
  const point = symbol.indexOf('.');
  return point < 0 ? { root: symbol, suffix: '' } : { root: symbol.slice(0, point), suffix: symbol.slice(point + 1) };
}

/** True when root and suffix fit the layouts' fields. */
export function isSymbol(symbol: string): boolean {
  const { root, suffix } = splitSymbol(symbol);
  const visible = /^[\x21-\x7e]+$/;
  return (
    visible.test(symbol) &&
    root.length >= 1 &&
    root.length <= SYMBOL_ROOT_LENGTH &&
    suffix.length <= SYMBOL_SUFFIX_LENGTH &&
    !symbol.endsWith('.')
  );
}
