import { configSources, configTypes } from '@tickfold/kafka-protocol';
import type { BrokerConfig, Overrides } from './broker-configs.ts';

/** More groups than that are not given settings of their own: all are in one file, and in memory. */
const MOST_GROUPS = 10_000;
const DOCUMENTATION = 'Kept and shown; nothing depends on it: groups here are told by their members.';

/** What a group of the newer consumer protocol is told by its coordinator, with Kafka's own values. */
const rows: ReadonlyMap<string, string> = new Map([
  ['consumer.heartbeat.interval.ms', '5000'],
  ['consumer.session.timeout.ms', '45000'],
]);

/** Settings that clients gave to groups. */
export class GroupConfigs {
  readonly #overrides: Map<string, Overrides>;

  constructor(kept: Readonly<Record<string, Overrides>> = {}) {
    this.#overrides = new Map(Object.entries(kept));
  }

  overridesOf(group: string): Overrides {
    return this.#overrides.get(group) ?? {};
  }

  /** Why these cannot be the settings of a group; undefined where they can. */
  problemWith(group: string, overrides: Overrides): string | undefined {
    if (group === '') return 'a group has a name';
    for (const [name, value] of Object.entries(overrides)) {
      if (!rows.has(name)) return `"${name}" is no setting of a group`;
      if (!/^[1-9]\d{0,8}$/.test(value)) return `${name} is "${value}" but must be a whole number from 1`;
    }
    const isOneMore = !this.#overrides.has(group) && Object.keys(overrides).length > 0;
    if (isOneMore && this.#overrides.size >= MOST_GROUPS)
      return `${MOST_GROUPS} groups have settings of their own already`;
    return undefined;
  }

  /** @param overrides all that the group has from now on, without a problem */
  override(group: string, overrides: Overrides): void {
    if (Object.keys(overrides).length === 0) this.#overrides.delete(group);
    else this.#overrides.set(group, overrides);
  }

  describe(group: string): [name: string, config: BrokerConfig][] {
    return [...rows].map(([name, usual]) => {
      const own = this.overridesOf(group)[name];
      const changed = own === undefined ? [] : [{ name, value: own, source: configSources.dynamicGroup }];
      const synonyms = [...changed, { name, value: usual, source: configSources.default }];
      const { value } = synonyms[0]!;
      return [name, { value, type: configTypes.int, synonyms, documentation: DOCUMENTATION, readOnly: false }];
    });
  }
}
