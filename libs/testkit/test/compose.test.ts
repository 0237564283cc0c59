import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serviceNames, topology } from '../../../topology.ts';

interface ComposeService {
  command: string[];
  environment: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: unknown;
  depends_on?: Record<string, { condition: string }>;
}

const compose = parse(readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8'), {
  merge: true,
}) as {
  services: Record<string, ComposeService>;
};
const models = ['reversion-1', 'reversion-2'];
const local = topology(
  {
    source: 'sim',
    speed: undefined,
    date: undefined,
    seed: 42,
    dataDir: '/data',
    host: '127.0.0.1',
    webPort: 3000,
    brokerPort: 9092,
    brokerInternalPort: undefined,
    models,
  },
  new Map(serviceNames({ models }).map((name, index) => [name, 4100 + index])),
);

describe('docker-compose.yml', () => {
  it('runs what topology.ts runs, one container each', () => {
    const names = [...local.tasks, ...local.services].map(({ name }) => name);
    expect(Object.keys(compose.services).sort()).toEqual(names.sort());
  });

  it.each([...local.tasks, ...local.services].map((spec) => [spec.name, spec] as const))(
    'starts %s from the same entry',
    (name, spec) => {
      expect(compose.services[name]?.command).toEqual(['node', spec.entry.replace(/^.*?(apps\/)/, '$1')]);
    },
  );

  it.each(local.services.map((spec) => [spec.name, spec] as const))(
    'gives %s the settings that it gets from topology.ts',
    (name, spec) => {
      const container = compose.services[name]?.environment ?? {};
      expect(Object.keys(container)).toEqual(
        expect.arrayContaining(Object.keys(spec.env).filter((key) => key !== 'HEALTH_PORT')),
      );
      expect(container.MODEL).toBe(spec.env.MODEL);
      expect(container.MODELS).toBe(spec.env.MODELS);
      const namesOf = (services: string | undefined) => services?.split(',').map((entry) => entry.split('=')[0]);
      expect(namesOf(container.SERVICES)).toEqual(namesOf(spec.env.SERVICES));
    },
  );

  it('has a health check for every service, and waits for the broker to be healthy', () => {
    for (const { name, after } of local.services) {
      expect(compose.services[name]?.healthcheck, name).toBeDefined();
      if (after?.includes('broker'))
        expect(compose.services[name]?.depends_on?.broker?.condition, name).toBe('service_healthy');
    }
  });

  it('shows broker and web the same data folder, for snapshots and replays, with tables that history alone writes', () => {
    const mounts = (name: string) => [...(compose.services[name]?.volumes ?? [])].sort();
    expect(mounts('broker')).toEqual(['market-tables:/data/market/tables:ro', 'volumes:/data']);
    expect(mounts('web')).toEqual(mounts('broker'));
    const writers = Object.entries(compose.services).filter(([, { volumes = [] }]) =>
      volumes.some((mount) => mount.startsWith('market-tables:') && !mount.endsWith(':ro')),
    );
    expect(writers.map(([name]) => name)).toEqual(['history']);
  });

  it('opens ports on the loopback only', () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});
