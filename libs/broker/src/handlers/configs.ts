import {
  apis,
  configSources,
  configTypes,
  errorCodes,
  type RequestOf,
  type ResponseOf,
  resourceTypes,
} from '@tickfold/kafka-protocol';
import type { LogEngine } from '@tickfold/log-engine';
import type { BrokerConfig, BrokerConfigs } from '../configs/broker-configs.ts';
import type { GroupConfigs } from '../configs/group-configs.ts';
import { topicConfigs } from '../configs/topic-configs.ts';
import { kafkaErrorOf } from '../engine-errors.ts';
import { NODE_ID } from '../options.ts';
import { type Route, route } from '../route.ts';

type Resource = RequestOf<typeof apis.describeConfigs>['resources'][number];
type ResourceAnswer = ResponseOf<typeof apis.describeConfigs>['resources'][number];
type ConfigAnswer = ResourceAnswer['configs'][number];

/** Settings of topics, of the broker, and of groups. */
export function describeConfigsRoute(
  engine: LogEngine,
  brokerConfigs: BrokerConfigs,
  groupConfigs: GroupConfigs,
): Route {
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
          : answer(topicAnswers(topic.settings));
      } catch (error) {
        const { errorCode, message } = kafkaErrorOf(error);
        return refuse(errorCode, message);
      }
    }
    if (type === resourceTypes.broker) {
      return name === '' || name === String(NODE_ID)
        ? answer(brokerConfigs.describe().map(([configName, config]) => answerOf(configName, config)))
        : refuse(errorCodes.INVALID_REQUEST, `there is no broker '${name}', only ${NODE_ID}`);
    }
    if (type === resourceTypes.group) {
      return answer(groupConfigs.describe(name).map(([configName, config]) => answerOf(configName, config)));
    }
    return refuse(errorCodes.INVALID_REQUEST, `resources of type ${type} have no settings here`);
  };

  return route(apis.describeConfigs, ({ resources, includeSynonyms, includeDocumentation }) => ({
    throttleTimeMs: 0,
    resources: resources.map(describe).map((resource) => ({
      ...resource,
      configs: resource.configs.map((config) => ({
        ...config,
        synonyms: includeSynonyms ? config.synonyms : [],
        documentation: includeDocumentation ? config.documentation : null,
      })),
    })),
  }));
}

/** All settings that a topic can have, with where each value comes from. */
export function topicAnswers(set: Readonly<Record<string, string>>): ConfigAnswer[] {
  const names = new Set([...topicConfigs.keys(), ...Object.keys(set)]);
  return [...names].sort().map((name) => {
    const config = topicConfigs.get(name);
    const own = set[name];
    const inherited =
      config === undefined
        ? []
        : [{ name: config.brokerName ?? name, value: config.value, source: configSources.default }];
    const synonyms = own === undefined ? inherited : [{ name, value: own, source: configSources.topic }, ...inherited];
    return {
      name,
      value: synonyms[0]!.value,
      readOnly: false,
      source: synonyms[0]!.source,
      isSensitive: false,
      synonyms,
      configType: config?.type ?? configTypes.string,
      documentation: config?.documentation ?? null,
    };
  });
}

function answerOf(name: string, config: BrokerConfig): ConfigAnswer {
  const { value, type, synonyms, readOnly, documentation } = config;
  const { source } = synonyms[0]!;
  return { name, value, readOnly, source, isSensitive: false, synonyms, configType: type, documentation };
}
