import type { RecordView } from '@tickfold/stream';
import { expect, test } from 'vitest';
import { sameContent } from './same-content.ts';

interface Content {
  key?: string | null;
  value?: string | null;
  timestampMs?: number;
  headers?: [string, string][];
  offset?: bigint;
}

function record({
  key = 'BAC',
  value = 'v',
  timestampMs = 1,
  headers = [['source', 'f:1']],
  offset = 0n,
}: Content): RecordView {
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));
  return {
    topic: 't',
    partition: 0,
    offset,
    timestampMs,
    key: bytes(key),
    value: bytes(value),
    header: (name) => headers.find(([known]) => known === name)?.[1],
    headers: () => headers.map(([name, text]) => ({ key: name, value: Buffer.from(text) })),
  };
}

const same = (a: Content, b: Content) => sameContent(record(a), record(b), { a: 'one', b: 'two' });

test.each<[string, Content]>([
  ['key', { key: 'IBM' }],
  ['null key', { key: null }],
  ['value', { value: 'w' }],
  ['null value', { value: null }],
  ['event time', { timestampMs: 2 }],
  ['header value', { headers: [['source', 'f:2']] }],
  ['header name', { headers: [['origin', 'f:1']] }],
  ['number of headers', { headers: [] }],
])('another %s is another content', (_, other) => {
  expect(same({}, other)).toBe(false);
  expect(same(other, other)).toBe(true);
});

test('the order of headers is a part of the content, the offset is none', () => {
  const headers: [string, string][] = [
    ['source', 'f:1'],
    ['input', '7'],
  ];
  expect(same({ headers }, { headers: headers.toReversed() })).toBe(false);
  expect(same({ offset: 1n }, { offset: 2n })).toBe(true);
});

test('that the groups of dead letters are named after their volumes does not count', () => {
  const by = (group: string): Content => ({ headers: [['app', group]] });
  expect(same(by('one.analytics'), by('two.analytics'))).toBe(true);
  expect(same(by('one.analytics'), by('two.archive'))).toBe(false);
  expect(same(by('one.analytics'), by('one.analytics'))).toBe(true);
  expect(same(by('two.analytics'), by('one.analytics'))).toBe(false);
});
