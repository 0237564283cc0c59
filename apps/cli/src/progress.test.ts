import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { showBar, showProgress } from './progress.ts';

function output(isTTY: boolean): NodeJS.WriteStream {
  return Object.assign(new PassThrough(), { isTTY, columns: 100 }) as unknown as NodeJS.WriteStream;
}

function shown(stream: NodeJS.WriteStream): string {
  return String((stream as unknown as PassThrough).read() ?? '');
}

test('without a terminal there is a line at the start and one at the end', () => {
  const stream = output(false);
  const progress = showProgress('replaying market@open', 'tick', stream);
  for (const done of [0, 1, 4_000]) progress.update({ done, total: 4_000 });
  expect(shown(stream)).toBe('replaying market@open: 4,000 ticks to read\n');
  progress.stop();
  expect(shown(stream)).toMatch(/^replaying market@open: read 4,000 ticks in \d+\.\d s\n$/);
});

test('on a terminal there is a bar with how much of how many', () => {
  const stream = output(true);
  const progress = showProgress('replaying market@open', 'tick', stream);
  progress.update({ done: 1_000, total: 4_000 });
  expect(shown(stream)).toMatch(/replaying market@open \[.+\] 25% of 4,000 ticks/);
  progress.stop();
});

test.each([true, false])('work that never began shows nothing (terminal: %s)', (isTTY) => {
  const stream = output(isTTY);
  showProgress('replaying', 'tick', stream).stop();
  expect(shown(stream)).toBe('');
});

test('what needs no lines shows nothing without a terminal', () => {
  const stream = output(false);
  const progress = showBar('comparing', 'record', stream);
  progress.update({ done: 1, total: 2 });
  progress.stop();
  expect(shown(stream)).toBe('');
});
