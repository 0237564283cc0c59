import { expect, test } from 'vitest';
import { parseBrokerAddress, streamConfigFromEnv } from './config.ts';

test('without settings the broker of this machine is used', () => {
  expect(streamConfigFromEnv({}, 'me')).toEqual({ brokers: ['127.0.0.1:9092'], clientId: 'me' });
});

test('several brokers are separated by commas', () => {
  expect(streamConfigFromEnv({ BROKERS: 'a:1, b:2' }, 'me').brokers).toEqual(['a:1', 'b:2']);
});

test('an IPv6 address stands in brackets', () => {
  expect(parseBrokerAddress('[::1]:9092')).toEqual({ host: '::1', port: 9092 });
});

test.each(['localhost', 'localhost:', 'localhost:0', 'localhost:65536', 'host:12x', ':9092', 'a:1,'])(
  "BROKERS='%s' is refused by its value, with an example of a right one",
  (brokers) => {
    expect(() => streamConfigFromEnv({ BROKERS: brokers }, 'me')).toThrow(
      expect.objectContaining({ code: 'bad-setting', mend: expect.stringContaining('BROKERS=127.0.0.1:9092') }),
    );
  },
);

test('STREAM_ENGINE=kafka is named as not available in this version', () => {
  expect(() => streamConfigFromEnv({ STREAM_ENGINE: 'kafka' }, 'me')).toThrow(
    'STREAM_ENGINE=kafka is not available in this version',
  );
});

test('an engine that nobody knows is refused by its name', () => {
  expect(() => streamConfigFromEnv({ STREAM_ENGINE: 'pulsar' }, 'me')).toThrow('STREAM_ENGINE=pulsar names no engine');
});
