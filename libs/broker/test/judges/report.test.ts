import { describe, expect, test } from 'vitest';
import type { Verdict } from './judge.ts';
import { readVerdicts } from './librdkafka.ts';
import { compare, describeRun } from './report.ts';

const passed = (name: string): Verdict => ({ case: name, outcome: 'passed' });
const failed = (name: string): Verdict => ({ case: name, outcome: 'failed', why: 'because' });

describe('two brokers side by side', () => {
  test('a case that passes only there is wrong', () => {
    expect(compare('j', [failed('a')], [passed('a')], {})).toMatchObject([{ remark: 'because', wrong: true }]);
    expect(compare('j', [], [passed('a')], {})).toMatchObject([{ here: 'absent', wrong: true }]);
  });

  test('a reason of the list excuses it', () => {
    const [row] = compare('j', [failed('a')], [passed('a')], { 'j: a': 'several-brokers' });
    expect(row).toMatchObject({ remark: 'it needs several brokers', wrong: false });
  });

  test('a reason that is needed no more is wrong', () => {
    expect(compare('j', [passed('a')], [passed('a')], { 'j: a': 'several-brokers' })[0]!.wrong).toBe(true);
  });

  test('a case that fails on both, or only there, is not wrong', () => {
    const rows = compare('j', [failed('a'), passed('b')], [failed('a'), failed('b')], {});
    expect(rows.map(({ wrong }) => wrong)).toEqual([false, false]);
  });

  test('the report counts the differences and shows what the judge said', () => {
    const rows = compare('j', [failed('a|b'), passed('c')], [passed('a|b'), passed('c')], {});
    const judge = { name: 'j', origin: 'j 1.0' };
    const report = describeRun([{ judge, rows }], { date: '2026-01-01', machine: 'this', kafkaVersion: '4' });
    expect(report).toContain('**1 differences without a reason**');
    expect(report).toContain('| a\\|b | failed | passed | **because** |');
    expect(report).toContain('| j 1.0 | 2 | 1 | 2 | 1 |');
  });
});

describe('what the runner of librdkafka says', () => {
  const begin = (name: string) => `[${name}  /  0.000s] ================= Running test ${name} =================\n`;

  test('is read test by test, with the assertion that failed', () => {
    const output =
      begin('0001_one') +
      '[0001_one /  1.0s] \x1b[32m================= Test 0001_one PASSED =================\x1b[0m\n' +
      begin('0002_two') +
      '### Test "0002_two (sub:1)" failed at 0002.c:5:sub() at Mon Nov 23 00:09:08 2026: ###\nTest assertion failed: x\n' +
      begin('0003_three') +
      '| 0003_three         |    SKIPPED |   0.000s | too slow\n';
    expect(readVerdicts(output, false)).toEqual([
      { case: '0001_one', outcome: 'passed' },
      { case: '0002_two', outcome: 'failed', why: '0002.c:5:sub() Test assertion failed: x' },
      { case: '0003_three', outcome: 'skipped', why: 'too slow' },
    ]);
  });

  test('a test that did not end failed', () => {
    expect(readVerdicts(begin('0001_one'), true)[0]).toMatchObject({ outcome: 'failed' });
  });
});
