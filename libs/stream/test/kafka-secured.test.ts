import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApacheKafka, startApacheKafka, whyNoApacheKafka } from '@tickfold/testkit/apache-kafka';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type StreamConfig, streamConfigFromEnv } from '../src/index.ts';

const PASSWORD = 'change-it';
const MODULE = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const reason = whyNoApacheKafka();

describe.skipIf(reason !== undefined)(`an Apache Kafka with SASL and TLS${reason ? ` (${reason})` : ''}`, () => {
  let folder: string;
  let kafka: ApacheKafka;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tickfold-secured-'));
    const store = join(folder, 'broker.p12');
    const key = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', PASSWORD, '-alias', 'broker'];
    const who = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1', '-validity', '2'];
    execFileSync('keytool', ['-genkeypair', '-keyalg', 'RSA', ...key, ...who], { stdio: 'ignore' });
    writeFileSync(
      join(folder, 'ca.pem'),
      execFileSync('keytool', ['-exportcert', '-rfc', ...key], { stdio: ['ignore', 'pipe', 'ignore'] }),
    );
    kafka = await startApacheKafka({
      settings: {
        'listener.security.protocol.map': 'PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT',
        'inter.broker.listener.name': 'PLAINTEXT',
        'sasl.mechanism.inter.broker.protocol': 'PLAIN',
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.plaintext.plain.sasl.jaas.config': `${MODULE} required username="me" password="secret" user_me="secret";`,
        'ssl.keystore.location': store,
        'ssl.keystore.type': 'PKCS12',
        'ssl.keystore.password': PASSWORD,
        'ssl.truststore.location': store,
        'ssl.truststore.type': 'PKCS12',
        'ssl.truststore.password': PASSWORD,
      },
    });
  }, 60_000);
  afterAll(async () => {
    await kafka?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function settings(changed: Record<string, string> = {}): StreamConfig {
    const env = {
      STREAM_ENGINE: 'kafka',
      KAFKA_BROKERS: kafka.bootstrap,
      KAFKA_TLS_CA_FILE: join(folder, 'ca.pem'),
      KAFKA_SASL_MECHANISM: 'PLAIN',
      KAFKA_SASL_USERNAME: 'me',
      KAFKA_SASL_PASSWORD: 'secret',
    };
    return { ...streamConfigFromEnv({ ...env, ...changed }, 'test'), connectTimeoutMs: 2000 };
  }

  test('takes records and gives them back, with the settings of the environment', async () => {
    const client = await connect({ ...settings(), connectTimeoutMs: 20_000 });
    await client.admin.ensureTopics([{ name: 'secured.topic', partitionCount: 1 }]);
    const producer = client.producer();
    producer.send({ topic: 'secured.topic', key: 'k', value: Buffer.from('kept'), timestampMs: 1 });
    await producer.close();
    expect(String((await client.lastRecord('secured.topic', 0))!.value)).toBe('kept');
    await client.close();
  });

  test.each([{ KAFKA_SASL_PASSWORD: 'wrong' }, { KAFKA_SASL_MECHANISM: 'scram-sha-256' }])(
    'refuses %j, and the client says so at once',
    async (changed) => {
      await expect(connect(settings(changed))).rejects.toMatchObject({
        code: 'unauthenticated',
        mend: expect.stringContaining('KAFKA_SASL_PASSWORD'),
      });
    },
  );

  test.each([
    ['an authority that nobody here trusts', { KAFKA_TLS_CA_FILE: '', KAFKA_TLS: 'true' }],
    ['no TLS', { KAFKA_TLS_CA_FILE: '' }],
  ])('is unreachable with %s, and the mend names the setting', async (_, changed) => {
    await expect(connect(settings(changed as Record<string, string>))).rejects.toMatchObject({
      code: 'unreachable',
      mend: expect.stringContaining('KAFKA_TLS'),
    });
  });
});
