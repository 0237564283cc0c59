import {
  apis,
  configOperations,
  configTypes,
  errorCodes,
  type RequestOf,
  resourceTypes,
} from '@tickfold/kafka-protocol';
import { checkTopicSettings, type LogEngine } from '@tickfold/log-engine';
import type { BrokerConfigs } from '../configs/broker-configs.ts';
import type { GroupConfigs } from '../configs/group-configs.ts';
import { type KeptSettings, withEntry } from '../configs/kept-settings.ts';
import { topicConfigs } from '../configs/topic-configs.ts';
import { kafkaErrorOf } from '../engine-errors.ts';
import { NODE_ID } from '../options.ts';
import { type Route, route } from '../route.ts';

type Change = RequestOf<typeof apis.incrementalAlterConfigs>['resources'][number]['configs'][number];
type Settings = Readonly<Record<string, string>>;

interface Resource {
  type: number;
  name: string;
}

/** What is wrong with a request, as its answer says it. */
class Refusal extends Error {
  readonly errorCode: number;

  constructor(errorCode: number, message: string) {
    super(message);
    this.errorCode = errorCode;
  }
}

interface Parts {
  engine: LogEngine;
  kept: KeptSettings;
  brokerConfigs: BrokerConfigs;
  groupConfigs: GroupConfigs;
}

/** Change the settings of topics and of groups, and a few of the broker's. */
export function alterConfigsRoutes({ engine, kept, brokerConfigs, groupConfigs }: Parts): Route[] {
  /** One change after another: each begins with what the one before has left. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };

  const alterTopic = async (name: string, validateOnly: boolean, change: (now: Settings) => Settings) => {
    const topic = engine.topic(name);
    if (topic === undefined) throw new Refusal(errorCodes.UNKNOWN_TOPIC_OR_PARTITION, `there is no topic '${name}'`);
    const settings = { ...change(topic.settings) };
    checkTopicSettings(settings);
    if (!validateOnly) await engine.alterTopic(name, { settings });
  };

  const alterBroker = async (name: string, validateOnly: boolean, change: (now: Settings) => Settings) => {
    if (name !== '' && name !== String(NODE_ID)) {
      throw new Refusal(errorCodes.INVALID_REQUEST, `there is no broker '${name}', only ${NODE_ID}`);
    }
    const overrides = change(brokerConfigs.overrides);
    const problem = brokerConfigs.problemWith(overrides);
    if (problem !== undefined) throw new Refusal(errorCodes.INVALID_REQUEST, problem);
    if (validateOnly) return;
    await kept.change(() => ({ broker: overrides }));
    brokerConfigs.override(overrides);
  };

  const alterGroup = async (name: string, validateOnly: boolean, change: (now: Settings) => Settings) => {
    const overrides = change(groupConfigs.overridesOf(name));
    const problem = groupConfigs.problemWith(name, overrides);
    if (problem !== undefined) throw new Refusal(errorCodes.INVALID_CONFIG, problem);
    if (validateOnly) return;
    await kept.change(({ groups }) => ({ groups: withEntry(groups, name, overrides) }));
    groupConfigs.override(name, overrides);
  };

  const alter = async ({ type, name }: Resource, validateOnly: boolean, change: (now: Settings) => Settings) => {
    try {
      if (type === resourceTypes.topic) await inTurn(() => alterTopic(name, validateOnly, change));
      else if (type === resourceTypes.broker) await inTurn(() => alterBroker(name, validateOnly, change));
      else if (type === resourceTypes.group) await inTurn(() => alterGroup(name, validateOnly, change));
      else throw new Refusal(errorCodes.INVALID_REQUEST, `resources of type ${type} have no settings here`);
      return { type, name, errorCode: errorCodes.NONE, errorMessage: null };
    } catch (error) {
      const { errorCode, message } = error instanceof Refusal ? error : kafkaErrorOf(error);
      return { type, name, errorCode, errorMessage: message };
    }
  };

  const answerAll = async <R extends Resource & { configs: readonly { name: string }[] }>(
    { resources, validateOnly }: { resources: readonly R[]; validateOnly: boolean },
    changeOf: (resource: R) => (now: Settings) => Settings,
  ) => {
    const isThereTwice = ({ type, name }: Resource) =>
      resources.filter((other) => other.type === type && other.name === name).length > 1;
    const answers = await Promise.all(
      resources.map((resource) => {
        const names = resource.configs.map(({ name }) => name);
        return alter(resource, validateOnly, (now) => {
          if (isThereTwice(resource)) {
            throw new Refusal(errorCodes.INVALID_REQUEST, `'${resource.name}' is there twice in one request`);
          }
          const twice = names.find((name, at) => names.indexOf(name) !== at);
          if (twice !== undefined) {
            throw new Refusal(errorCodes.INVALID_REQUEST, `${twice} is there twice for '${resource.name}'`);
          }
          return changeOf(resource)(now);
        });
      }),
    );
    return { throttleTimeMs: 0, resources: answers };
  };

  return [
    route(apis.alterConfigs, (request) =>
      answerAll(request, ({ configs }) => () => {
        return Object.fromEntries(configs.map(({ name, value }) => [name, given(name, value)]));
      }),
    ),
    route(apis.incrementalAlterConfigs, (request) =>
      answerAll(
        request,
        ({ configs }) =>
          (now) =>
            configs.reduce(changed, now),
      ),
    ),
  ];
}

function changed(settings: Settings, { name, operation, value }: Change): Settings {
  const { [name]: own, ...others } = settings;
  switch (operation) {
    case configOperations.set:
      return { ...others, [name]: given(name, value) };
    case configOperations.delete:
      return others;
    case configOperations.append:
    case configOperations.subtract: {
      const elements = listOf(name, own ?? topicConfigs.get(name)?.value);
      const named = given(name, value).split(',');
      const kept = elements.filter((element) => !named.includes(element));
      return { ...others, [name]: (operation === configOperations.append ? [...kept, ...named] : kept).join(',') };
    }
    default:
      throw new Refusal(errorCodes.INVALID_REQUEST, `there is no operation ${operation} on a setting`);
  }
}

function listOf(name: string, value: string | undefined): string[] {
  if (topicConfigs.get(name)?.type !== configTypes.list) {
    throw new Refusal(errorCodes.INVALID_CONFIG, `${name} is no list: nothing can be added to it or taken from it`);
  }
  return (value ?? '').split(',').filter((element) => element !== '');
}

function given(name: string, value: string | null): string {
  if (value === null) throw new Refusal(errorCodes.INVALID_REQUEST, `${name} has no value`);
  return value;
}
