import type { Decision, EnrichedTick } from '@tickfold/market';
import type { BrokerParameters, brokerParameters } from './paper-broker.ts';
import {
  type ParameterSpec,
  type ParameterSpecs,
  type ParameterValues,
  parametersVersion,
  resolveParameters,
} from './parameters.ts';

/**
 * A model version at work: code and parameters. It is a fold over the trades of one partition: no clock, no randomness,
 * nothing from another partition.
 */
export interface Model {
  readonly name: string;
  readonly parameters: ParameterValues & BrokerParameters;
  createState(): unknown;
  /** Called for every trade, in the order of the partition. May change `state`, and nothing else. */
  evaluate(state: unknown, trade: EnrichedTick): Decision | undefined;
}

export interface ModelDefinition {
  name: string;
  /** One sentence for people. */
  description: string;
  parameters: ParameterSpecs;
  /** @throws ModelError naming the parameter, the value and the range */
  create(overrides?: Readonly<Record<string, unknown>>): Model;
}

/** Every model has the paper broker's parameters beside its own. */
type ModelSpecs = ParameterSpecs & Readonly<Record<keyof typeof brokerParameters, ParameterSpec>>;

/** Parameters that are set, and how decisions name them. */
export interface Setting<Specs extends ParameterSpecs> {
  values: ParameterValues<Specs>;
  version: string;
}

/** Ties a model's state to its own functions and hides its type from everyone else. */
export function defineModel<Specs extends ModelSpecs, State>(model: {
  name: string;
  description: string;
  parameters: Specs;
  createState(): State;
  evaluate(setting: Setting<Specs>, state: State, trade: EnrichedTick): Decision | undefined;
}): ModelDefinition {
  const { name, description, parameters } = model;
  return {
    name,
    description,
    parameters,
    create(overrides) {
      const values = resolveParameters({ name, parameters }, overrides);
      const setting = { values, version: parametersVersion(parameters, values) };
      return {
        name,
        parameters: values,
        createState: () => model.createState(),
        evaluate: (state, trade) => model.evaluate(setting, state as State, trade),
      };
    },
  };
}
