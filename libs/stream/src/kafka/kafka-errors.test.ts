import { expect, test } from 'vitest';
import { isConnectionLoss } from './kafka-errors.ts';

test('what kafkajs says when it was disconnected amid a question for metadata counts as a lost connection', () => {
  const pool: { metadata: { brokers: unknown[] } | null } = { metadata: null };
  const late = () => pool.metadata!.brokers;
  expect(late).toThrow(expect.toSatisfy(isConnectionLoss));
  expect(isConnectionLoss(new TypeError('another mistake'))).toBe(false);
});
