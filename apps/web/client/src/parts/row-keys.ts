/** Up and down go from a row's button to the same one of the next row, Home and End to the first and last row. */
export function moveBetweenRows(event: React.KeyboardEvent<HTMLElement>): void {
  const button = event.target as HTMLElement;
  const row = button.closest('tbody tr');
  const rows = row === null ? [] : [...row.parentElement!.children];
  const index = rowAfter(event.key, rows.indexOf(row as Element), rows.length);
  if (row === null || index === null) return;
  event.preventDefault();
  const place = [...row.querySelectorAll('button')].indexOf(button as HTMLButtonElement);
  rows[index]!.querySelectorAll('button')[place]?.focus();
}

/** Null where the key moves nothing. */
export function rowAfter(key: string, index: number, rowCount: number): number | null {
  if (index < 0) return null;
  switch (key) {
    case 'ArrowDown':
      return Math.min(index + 1, rowCount - 1);
    case 'ArrowUp':
      return Math.max(index - 1, 0);
    case 'Home':
      return 0;
    case 'End':
      return rowCount - 1;
    default:
      return null;
  }
}
