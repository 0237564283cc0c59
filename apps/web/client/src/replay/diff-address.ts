/** The page that compares two volumes: to be shared, and to be come back to. */
export function diffAddress(a: string, b: string): string {
  return `/diff?${new URLSearchParams({ a, b })}`;
}
