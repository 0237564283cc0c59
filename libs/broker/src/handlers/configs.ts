import {
  apis,
  configSources,
  errorCodes,
  type RequestOf,
  type ResponseOf,
  resourceTypes,
} from '@tickfold/kafka-protocol';
import type { LogEngine } from '@tickfold/log-engine';
import { kafkaErrorOf } from '../engine-errors.ts';
import { NODE_ID } from '../options.ts';
import { type Route, route } from '../route.ts';

type Resource = RequestOf<typeof apis.describeConfigs>['resources'][number];
type ResourceAnswer = ResponseOf<typeof apis.describeConfigs>['resources'][number];
type ConfigAnswer = ResourceAnswer['configs'][number];

/** What Kafka's tools and UIs look for in a topic, as this engine behaves where the topic says nothing. */
const topicDefaults: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'max.message.bytes': '1048588',
  'message.timestamp.type': 'CreateTime',
  'min.insync.replicas': '1',
  'retention.bytes': '-1',
  'retention.ms': '-1',
};

const types = { boolean: 1, string: 2, int: 3 } as const;

/** Settings of topics, and the few of the broker that clients ask for. All are read only. */
export function describeConfigsRoute(
  engine: LogEngine,
  settings: { autoCreateTopics: boolean; defaultPartitionCount: number; frameBytes: number },
): Route {
  const brokerConfigs = [
    config('auto.create.topics.enable', String(settings.autoCreateTopics), configSources.staticBroker, types.boolean),
    config('default.replication.factor', '1', configSources.default, types.int),
    config('num.partitions', String(settings.defaultPartitionCount), configSources.staticBroker, types.int),
    config('socket.request.max.bytes', String(settings.frameBytes), configSources.staticBroker, types.int),
  ];

  const describe = ({ type, name, keys }: Resource): ResourceAnswer => {
    const answer = (configs: ConfigAnswer[]): ResourceAnswer => ({
      errorCode: errorCodes.NONE,
      errorMessage: null,
      type,
      name,
      configs: keys === null ? configs : configs.filter((each) => keys.includes(each.name)),
    });
    const refuse = (errorCode: number, errorMessage: string): ResourceAnswer => ({
      ...answer([]),
      errorCode,
      errorMessage,
    });

    if (type === resourceTypes.topic) {
      try {
        const topic = engine.topic(name);
        return topic === undefined
          ? refuse(errorCodes.UNKNOWN_TOPIC_OR_PARTITION, `there is no topic '${name}'`)
          : answer(topicConfigs(topic.settings));
      } catch (error) {
        const { errorCode, message } = kafkaErrorOf(error);
        return refuse(errorCode, message);
      }
    }
    if (type === resourceTypes.broker) {
      return name === '' || name === String(NODE_ID)
        ? answer(brokerConfigs)
        : refuse(errorCodes.INVALID_REQUEST, `there is no broker '${name}', only ${NODE_ID}`);
    }
    return refuse(errorCodes.INVALID_REQUEST, `resources of type ${type} have no settings here`);
  };

  return route(apis.describeConfigs, ({ resources }) => ({ throttleTimeMs: 0, resources: resources.map(describe) }));
}

function topicConfigs(set: Readonly<Record<string, string>>): ConfigAnswer[] {
  const untouched = Object.entries(topicDefaults).filter(([name]) => !(name in set));
  return [
    ...Object.entries(set).map(([name, value]) => config(name, value, configSources.topic, types.string)),
    ...untouched.map(([name, value]) => config(name, value, configSources.default, types.string)),
  ];
}

function config(name: string, value: string, source: number, configType: number): ConfigAnswer {
  return {
    name,
    value,
    readOnly: true,
    source,
    isSensitive: false,
    synonyms: [],
    configType,
    documentation: null,
  };
}
